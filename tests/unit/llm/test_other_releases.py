"""Providers and models whose rows another release wrote."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from omni_core.adapters.memory.llm import MemoryCatalogueStore
from omni_core.domain.kernel.stored import rebuilds
from omni_core.domain.kernel.tenancy import PLATFORM
from omni_core.domain.llm.api import ProviderConfig, Routes
from omni_core.domain.llm.catalogue import Model, Provider
from omni_core.domain.llm.errors import ProviderNotReady, UnknownProviderKind
from omni_core.domain.llm.limits import OwnLimits
from omni_core.testing.builders.llm import a_model, a_provider
from omni_core.testing.scripted_model import ScriptedChatModel
from tests.support.backends import Backend


class Sealed:
    """A seal that opens whatever it is shown."""

    def seal(self, secret: str, context: str) -> bytes:
        return secret.encode()

    def open(self, sealed: bytes, context: str) -> str:
        return "sk-1"


def choosy(config: ProviderConfig) -> ScriptedChatModel:
    if config.read_timeout_s <= 0:
        raise ProviderNotReady("it needs time")
    return ScriptedChatModel()


@dataclass
class Shelf:
    """A catalogue, and the routes that lead from it."""

    backend: Backend
    routes: Routes

    async def put(self, provider: Provider, model: Model) -> None:
        store = self.backend.make(MemoryCatalogueStore)
        async with self.backend.uow(PLATFORM) as tx:
            await store.add_provider(tx, provider)
            await store.add_model(tx, model)


@pytest.fixture
async def shelf(memory: Backend) -> AsyncIterator[Shelf]:
    store = memory.make(MemoryCatalogueStore)
    routes = Routes(memory.uow, store, Sealed(), {"openai": choosy}, (), memory.clock)
    yield Shelf(memory, routes)
    await routes.close()


@pytest.mark.parametrize(
    "given",
    [{"kind": "telepathy"}, {"limits": OwnLimits(read_timeout_s=0.0)}, {"name": "no name!"}, {"base_url": "nowhere"}],
    ids=repr,
)
async def test_the_way_to_every_other_model_stays_open(shelf, given):
    odd = rebuilds(a_provider)(**{"name": "odd", **given})
    await shelf.put(a_provider(), a_model())
    await shelf.put(odd, rebuilds(a_model)("no name!", odd.name, max_output_tokens=0))
    assert (await shelf.routes.find("gpt")).model == a_model()


async def test_a_model_at_a_provider_of_an_unknown_kind_cannot_be_called(shelf):
    await shelf.put(a_provider("odd", kind="telepathy"), a_model("m", "odd"))
    with pytest.raises(UnknownProviderKind) as refused:
        await shelf.routes.find("m")
    assert refused.value.fields["allowed"] == ["openai"]
