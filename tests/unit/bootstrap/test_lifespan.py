"""What runs beside the program, and how it ends."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, nullcontext
from graphlib import CycleError
from typing import ClassVar

import pytest
from dependency_injector import containers, providers
from structlog.testing import capture_logs

from omni_core import (
    OPERATOR,
    AddModel,
    AddProvider,
    ChatRequest,
    CreateTenant,
    Message,
    Omni,
    ProviderConfig,
    Role,
    Settings,
    events,
)
from omni_core.adapters.crypto import MasterKey
from omni_core.bootstrap.containers.root import Opener, in_order
from omni_core.bootstrap.lifespan import repeating, running
from omni_core.bootstrap.premises import DatabaseUrls, Premises
from omni_core.domain.kernel.errors import DependencyFailed
from omni_core.domain.kernel.events import RecordedEvent
from omni_core.domain.kernel.uow import Transaction
from omni_core.domain.llm.api import ChatModelFactory
from omni_core.testing.scripted_model import ScriptedChatModel

QUESTION = Message.of(Role.USER, "Well?")


@pytest.mark.parametrize("failure, level", [(DependencyFailed("away"), "warning"), (ZeroDivisionError(), "error")])
async def test_work_that_fails_is_logged_and_done_again(failure: Exception, level: str):
    went_well = asyncio.Event()
    failures = [failure, failure]

    async def work() -> None:
        if failures:
            raise failures.pop()
        went_well.set()

    with capture_logs() as logs:
        async with repeating(work, every_s=0.001):
            await asyncio.wait_for(went_well.wait(), 10)
    assert [entry["log_level"] for entry in logs] == [level, level]


async def test_work_under_way_is_ended_with_its_block():
    began, ended = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with repeating(work, every_s=0.001):
        await asyncio.wait_for(began.wait(), 10)
    assert ended.is_set()


class Stubborn(ScriptedChatModel):
    """A model whose client fails to close."""

    async def aclose(self) -> None:
        await super().aclose()
        raise OSError("will not close")


async def test_every_client_is_closed_although_one_fails_to():
    opened: list[ScriptedChatModel] = []

    def factory(_config: ProviderConfig) -> ScriptedChatModel:
        opened.append(Stubborn() if not opened else ScriptedChatModel())
        return opened[-1]

    # Each model is called as soon as it is added: whoever adds one need not wait.
    with pytest.raises(OSError, match="will not close"):
        await _call_three_providers(factory)
    assert [model.is_closed for model in opened] == [True, True, True]


async def _call_three_providers(factory: ChatModelFactory) -> None:
    async with Omni.open(memory=True, chat_models={"scripted": factory}) as omni:
        tenant = await omni.tenants.create(OPERATOR, CreateTenant("acme", "Acme"))
        for name in ("one", "two", "three"):
            await omni.catalogue.add_provider(OPERATOR, AddProvider(name, "scripted"))
            await omni.catalogue.add_model(OPERATOR, AddModel(name, name, {"input": "1", "output": "1"}))
            await omni.chat.complete(omni.operator(tenant.id), ChatRequest(name, (QUESTION,)))


def test_urls_with_passwords_are_not_shown():
    urls = DatabaseUrls("postgresql://omni_app:hush@db/omni", "postgresql://omni_owner:hush@db/omni")
    assert "hush" not in f"{urls} {urls!r}"


# ------------------------------------------------------------------ what containers say of themselves

LIFE: list[str] = []


def opener(name: str) -> Opener:
    @asynccontextmanager
    async def opened(premises: Premises) -> AsyncGenerator[str, None]:
        LIFE.append(f"open {name} in {premises.storage}")
        try:
            yield name
        finally:
            LIFE.append(f"let go of {name}")

    return opened


class Pump:
    """Something that is maintained and closed."""

    def __init__(self, name: str, failure: Exception | None = None) -> None:
        self.name = name
        self.failure = failure

    async def maintain(self) -> None:
        """Nothing has to be done."""

    async def close(self) -> None:
        LIFE.append(f"close {self.name}")
        if self.failure is not None:
            raise self.failure


class Cellar(containers.DeclarativeContainer):
    opens: ClassVar[dict[str, Opener]] = {"well": opener("well")}
    well: providers.Dependency[str] = providers.Dependency(instance_of=str)
    pump = providers.Singleton(Pump, "cellar")
    maintains = providers.List(pump.provided.maintain)
    closes = providers.List(pump.provided.close)
    face = pump


class Attic(containers.DeclarativeContainer):
    opens: ClassVar[dict[str, Opener]] = {"roof": opener("roof")}
    cellar = providers.DependenciesContainer()
    roof: providers.Dependency[str] = providers.Dependency(instance_of=str)
    failure: providers.Dependency[Exception | None] = providers.Dependency(default=None)
    pump = providers.Singleton(Pump, "attic", failure)
    maintains = providers.List(pump.provided.maintain)
    closes = providers.List(pump.provided.close)
    face = providers.Callable(lambda well, roof: f"{roof} above {well}", cellar.well, roof)


@pytest.mark.parametrize("failure", [None, DependencyFailed("away")])
async def test_parts_are_opened_and_closed_in_the_order_in_which_they_stand_on_one_another(failure: Exception | None):
    LIFE.clear()
    parts = in_order({"attic": Attic, "cellar": Cellar})
    assert [*parts] == ["cellar", "attic"]
    premises = Premises(Settings(), MasterKey.generate())
    async with running(parts, premises, {"attic": {"failure": failure}}) as wiring:
        assert wiring.face("attic") == "roof above well"
        assert len(list(wiring.maintenance())) == 2
        assert LIFE == ["open well in memory", "open roof in memory"]
    assert LIFE[2:] == ["close attic", "close cellar", "let go of roof", "let go of well"]


async def test_whatever_one_part_does_at_its_end_the_others_are_closed():
    LIFE.clear()
    premises = Premises(Settings(), MasterKey.generate())
    with pytest.raises(ZeroDivisionError):
        async with running({"cellar": Cellar, "attic": Attic}, premises, {"attic": {"failure": ZeroDivisionError()}}):
            pass
    assert LIFE[2:] == ["close attic", "close cellar", "let go of roof", "let go of well"]


async def test_what_was_opened_is_let_go_of_where_the_next_cannot_be_opened():
    class Broken(containers.DeclarativeContainer):
        opens: ClassVar[dict[str, Opener]] = {"door": lambda _: nullcontext(1 / 0)}
        cellar = providers.DependenciesContainer()
        face = cellar.well

    LIFE.clear()
    with pytest.raises(ZeroDivisionError):
        async with running({"cellar": Cellar, "broken": Broken}, Premises(Settings(), MasterKey.generate()), {}):
            pass
    assert LIFE == ["open well in memory", "let go of well"]


def test_a_part_that_stands_on_itself_is_refused():
    class Round(containers.DeclarativeContainer):
        around = providers.DependenciesContainer()

    with pytest.raises(CycleError):
        in_order({"round": Round, "around": type("Around", (Round,), {"round": providers.DependenciesContainer()})})


async def test_a_programs_own_subscription_runs_beside_omnis():
    seen: list[str] = []

    async def note(_: Transaction, event: RecordedEvent) -> None:
        seen.append(str(event.data["slug"]))

    own = events.Subscription("testing.note", frozenset({"tenancy.tenant_created"}), note)
    async with Omni.open(memory=True, subscriptions=[own]) as omni:
        for slug in ("acme", "globex"):
            await omni.tenants.create(OPERATOR, CreateTenant(slug, slug))
        visits = await omni.run_pending_events(worth_retrying=lambda _: False)
        assert sorted(seen) == ["acme", "globex"]
        assert sum(visit.handled for visit in visits) == 2
        assert await omni.run_pending_events(worth_retrying=lambda _: False) == []
