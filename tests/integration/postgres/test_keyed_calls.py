"""Keys of clients with two processes on one database: who makes the call, and what is left when one of them ends."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import msgspec
import pytest

from omni_core import (
    OPERATOR,
    AddModel,
    AddProvider,
    ChatAnswer,
    ChatRequest,
    CreateTenant,
    Message,
    Omni,
    PageRequest,
    Principal,
    Role,
    SetBudget,
    Settings,
    UsageQuery,
    Window,
)
from omni_core.adapters.postgres.keyed_calls import PostgresKeyedCallStore
from omni_core.bootstrap.containers.root import PLATFORM
from omni_core.bootstrap.lifespan import open_wiring
from omni_core.domain.kernel.clock import parse_moment
from omni_core.domain.llm.api import CallUnderWay
from omni_core.domain.llm.keyed import Attempt, fingerprint_of
from omni_core.domain.llm.once import KeepTerms, KeyedCalls
from omni_core.domain.metering.api import CallStatus, UsageEvent
from omni_core.testing.builders.metering import a_call
from omni_core.testing.builders.pricing import a_price
from omni_core.testing.scripted_model import ScriptedChatModel
from tests.support.database import connected

pytestmark = pytest.mark.postgres

SECRET = "M" * 43 + "="
EVER = UsageQuery(parse_moment("2020-01-01", "since"), parse_moment("2120-01-01", "until"))
QUESTION = ChatRequest("scripted", (Message.of(Role.USER, "What is six times seven?"),))
SHORT_LEASE_S = 0.4


@dataclass
class Process:
    """One process: Omni on the database of all, in front of a model of its own."""

    omni: Omni
    model: ScriptedChatModel
    keyed: KeyedCalls
    principal: Principal

    async def ask(self, key: str = "k") -> ChatAnswer:
        return await self.omni.chat.complete(self.principal, QUESTION, idempotency_key=key)

    async def usage(self) -> tuple[UsageEvent, ...]:
        return (await self.omni.metering.events(self.principal, EVER, PageRequest())).items


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not holds():  # noqa: ASYNC110 - what it waits for tells nobody
            await asyncio.sleep(0.01)


@asynccontextmanager
async def process(url: str, tenant: Principal | None = None, *, lease_s: float = 10.0) -> AsyncIterator[Process]:
    settings, model = Settings(database_url=url, secret_key=SECRET), ScriptedChatModel()
    async with open_wiring(settings, memory=False, upgrade=False, chat_models={"scripted": model.factory}) as wiring:
        keyed: KeyedCalls = wiring.part("llm").keyed()
        keyed.terms = KeepTerms(keep_s=3600, most_bytes=100_000, wait_s=30, lease_s=lease_s)
        omni = Omni(wiring, settings)
        if tenant is None:
            made = await omni.tenants.create(OPERATOR, CreateTenant("acme", "Acme"))
            await omni.catalogue.add_provider(OPERATOR, AddProvider("somewhere", "scripted"))
            prices = {"input": "1", "output": "10", "request": "0.01"}
            await omni.catalogue.add_model(OPERATOR, AddModel("scripted", "somewhere", prices, max_output_tokens=1000))
            tenant = omni.operator(made.id)
        yield Process(omni, model, keyed, tenant)


@pytest.fixture
async def two(fresh_database_url: str) -> AsyncIterator[tuple[Process, Process]]:
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(process(fresh_database_url))
        second = await stack.enter_async_context(process(fresh_database_url, first.principal))
        yield first, second


async def test_of_two_processes_one_makes_the_call(two: tuple[Process, Process]):
    for one in two:
        one.model.hold.clear()
    asking = [asyncio.create_task(one.ask()) for one in two * 10]
    await asyncio.sleep(0.3)
    for one in two:
        one.model.hold.set()
    answers = await asyncio.gather(*asking)
    assert sum(len(one.model.requests) for one in two) == 1
    assert len({(answer.id, answer.created_at) for answer in answers}) == 1
    assert sorted(answer.is_replay for answer in answers) == [False] + [True] * 19
    assert [event.id for event in await two[0].usage()] == [answers[0].id]


async def test_another_process_gives_the_answer_again(two: tuple[Process, Process]):
    first = await two[0].ask()
    again = await two[1].ask()
    assert (again.id, again.created_at, again.response) == (first.id, first.created_at, first.response)
    assert again.is_replay
    assert two[1].model.requests == []


async def test_what_is_kept_cannot_be_read_in_the_database(two: tuple[Process, Process], fresh_database_url: str):
    await two[0].ask("a-key")
    async with connected(fresh_database_url) as owner:
        (row,) = await owner.fetch("select * from keyed_call")
    assert (row["caller"], row["key"], row["state"]) == ("operator", "a-key", "answered")
    assert b"Forty" not in row["sealed"]
    assert len(row["sealed"]) > 200


async def test_a_process_that_ends_leaves_the_call_to_the_next_at_once(fresh_database_url: str):
    async with process(fresh_database_url, lease_s=600) as staying:
        async with process(fresh_database_url, staying.principal, lease_s=600) as ending:
            ending.model.hold.clear()
            stream = await ending.omni.chat.stream(ending.principal, QUESTION, idempotency_key="k")
            asking = asyncio.create_task(ending.ask("other"))
            await until(lambda: len(ending.model.requests) == 2)
            await stream.aclose()
        with pytest.raises(CallUnderWay):
            await asking
        # What was produced until then is on record; the retry, which is answered in full, adds nothing to it.
        stream = await staying.omni.chat.stream(staying.principal, QUESTION, idempotency_key="k")
        assert "".join([piece.text async for piece in stream]) == "Forty-two."
        assert not (await staying.ask("other")).is_replay
        assert [event.status for event in await staying.usage()] == [CallStatus.COMPLETED, CallStatus.INTERRUPTED]


@pytest.mark.parametrize("was_charged", [False, True])
async def test_the_call_of_a_process_that_was_killed_is_made_again_and_paid_for_once(
    fresh_database_url: str, was_charged: bool
):
    async with process(fresh_database_url, lease_s=SHORT_LEASE_S) as one:
        await one.omni.budgets.create(one.principal, SetBudget(Window.DAY, "1.00"))
        call_id = await left_by_the_killed(one, was_charged=was_charged)
        answer = await one.ask()
        assert (answer.id, answer.is_replay) == (call_id, False)
        assert (await one.ask()).is_replay
        assert [event.id for event in await one.usage()] == [call_id]
        assert len(one.model.requests) == 1
        (budget,) = await one.omni.budgets.list(one.principal)
        assert (budget.spending.spent_picos == 0) is was_charged  # the killed one's own charge names no budget here


async def left_by_the_killed(one: Process, *, was_charged: bool) -> object:
    """Leave what a process leaves that is killed in the middle of a call, or after its usage was committed."""
    wiring = one.omni._wiring  # noqa: SLF001 - the storage, to which a process that is gone wrote
    asked = fingerprint_of(QUESTION, streamed=False)
    attempt = Attempt(wiring.part(PLATFORM).ids().new(), one.principal.subject, "k", asked)
    store: PostgresKeyedCallStore = wiring.part("llm").keyed_store()
    async with wiring.part(PLATFORM).uow()(one.principal.tenant_id) as tx:
        await store.claim(tx, attempt, lease_s=SHORT_LEASE_S, keep_s=3600)
    if was_charged:
        event = a_call(one.principal.tenant_id, a_price(), id=attempt.id, idempotency_key=str(attempt.id))
        assert await wiring.part("metering").log().append(event)
    return attempt.id


async def test_a_call_under_way_is_held_on(two: tuple[Process, Process], fresh_database_url: str):
    two[0].model.hold.clear()
    asking = asyncio.create_task(two[0].ask())
    await until(lambda: bool(two[0].model.requests))
    async with connected(fresh_database_url) as owner:
        before = await owner.fetchval("update keyed_call set held_until = now() returning held_until")
        two[0].keyed._held[0].renewed_at -= 5  # noqa: SLF001 - half a lease later
        await two[0].keyed.maintain()
        assert await owner.fetchval("select held_until > $1::timestamptz + interval '9 s' from keyed_call", before)
    two[0].model.hold.set()
    assert not (await asking).is_replay


async def test_who_lost_a_call_hands_on_nothing_else_than_was_kept(fresh_database_url: str):
    async with AsyncExitStack() as stack:
        # The first says nothing of itself for longer than its lease: its maintenance comes too late for that.
        first = await stack.enter_async_context(process(fresh_database_url, lease_s=0.05))
        second = await stack.enter_async_context(process(fresh_database_url, first.principal, lease_s=10))
        first.model.hold.clear()
        asking = asyncio.create_task(first.ask())
        await until(lambda: bool(first.model.requests))
        await asyncio.sleep(0.1)
        answer = await second.ask()
        first.model.hold.set()
        with pytest.raises(CallUnderWay):
            await asking
        again = await first.ask()
        assert (again.id, again.response, again.is_replay) == (answer.id, answer.response, True)
        assert [event.id for event in await first.usage()] == [answer.id]


async def test_a_state_of_another_release_lets_nobody_make_the_call(
    two: tuple[Process, Process], fresh_database_url: str
):
    answer = await two[0].ask()
    async with connected(fresh_database_url) as owner:
        await owner.execute("update keyed_call set state = 'thawing', held_until = now() - interval '1 h'")
    two[1].keyed.terms = msgspec.structs.replace(two[1].keyed.terms, wait_s=0)
    with pytest.raises(CallUnderWay) as refused:
        await two[1].ask()
    assert refused.value.fields["call_id"] == str(answer.id)
    assert two[1].model.requests == []


async def test_answers_whose_time_is_over_are_erased(two: tuple[Process, Process], fresh_database_url: str):
    await two[0].ask("over")
    await two[0].ask("kept")
    async with connected(fresh_database_url) as owner:
        await owner.execute("update keyed_call set expires_at = now() - interval '1 s' where key = 'over'")
        await two[1].keyed.maintain()
        two[1].keyed._prune_at = 0.0  # noqa: SLF001 - a minute later
        await two[1].keyed.maintain()
        assert [row["key"] for row in await owner.fetch("select key from keyed_call")] == ["kept"]
