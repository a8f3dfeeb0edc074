"""What runs beside the program, and how it ends."""

import asyncio

import pytest
from structlog.testing import capture_logs

from omni_core import OPERATOR, AddModel, AddProvider, ChatRequest, CreateTenant, Message, Omni, ProviderConfig, Role
from omni_core.bootstrap.lifespan import repeating
from omni_core.bootstrap.premises import DatabaseUrls
from omni_core.domain.kernel.errors import DependencyFailed
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
