"""What every CatalogueStore does."""

import pytest

from omni_core.domain.kernel.tenancy import TenantId
from omni_core.domain.kernel.uow import UnitOfWork
from omni_core.domain.llm.catalogue import Model, Provider
from omni_core.domain.llm.errors import ModelExists, ProviderExists, UnknownModel, UnknownProvider
from omni_core.domain.llm.ports import CatalogueStore
from omni_core.testing.builders import a_tenant_id
from omni_core.testing.clock import NOON


def a_provider(name: str = "openai") -> Provider:
    """Return a provider with a sealed key."""
    return Provider(name, "openai", "https://example.com/v1", b"\x00sealed\xff", 2.5, 30.0, NOON)


def a_model(name: str = "gpt", provider: str = "openai") -> Model:
    """Return a model."""
    return Model(name, provider, f"{name}-upstream", 128_000, 4_096, NOON)


class CatalogueStoreContract:
    """Fixtures: `catalogue_store`, and a `uow` of the same technology."""

    @pytest.fixture
    def owner(self) -> TenantId:
        """The catalogue is the platform's; a suite that shares a database keeps it under a tenant of its own."""
        return a_tenant_id()

    async def test_what_was_added_comes_back_by_name(
        self, uow: UnitOfWork, catalogue_store: CatalogueStore, owner: TenantId
    ) -> None:
        async with uow(owner) as tx:
            for name in ("b", "B", "a"):
                await catalogue_store.add_provider(tx, a_provider(name))
                await catalogue_store.add_model(tx, a_model(name))
        async with uow(owner) as tx:
            assert list(await catalogue_store.providers(tx)) == [a_provider(name) for name in ("B", "a", "b")]
            assert list(await catalogue_store.models(tx)) == [a_model(name) for name in ("B", "a", "b")]

    async def test_a_name_is_taken_once(
        self, uow: UnitOfWork, catalogue_store: CatalogueStore, owner: TenantId
    ) -> None:
        async with uow(owner) as tx:
            await catalogue_store.add_provider(tx, a_provider())
            await catalogue_store.add_model(tx, a_model())
            with pytest.raises(ProviderExists):
                await catalogue_store.add_provider(tx, a_provider())
            with pytest.raises(ModelExists):
                await catalogue_store.add_model(tx, a_model())

    async def test_what_was_removed_is_gone_and_cannot_be_removed_again(
        self, uow: UnitOfWork, catalogue_store: CatalogueStore, owner: TenantId
    ) -> None:
        async with uow(owner) as tx:
            await catalogue_store.add_provider(tx, a_provider())
            await catalogue_store.add_model(tx, a_model())
        async with uow(owner) as tx:
            await catalogue_store.remove_provider(tx, "openai")
            await catalogue_store.remove_model(tx, "gpt")
        async with uow(owner) as tx:
            assert list(await catalogue_store.providers(tx)) == []
            assert list(await catalogue_store.models(tx)) == []
            with pytest.raises(UnknownProvider):
                await catalogue_store.remove_provider(tx, "openai")
            with pytest.raises(UnknownModel):
                await catalogue_store.remove_model(tx, "gpt")

    async def test_nobody_else_sees_or_removes_it(
        self, uow: UnitOfWork, catalogue_store: CatalogueStore, owner: TenantId
    ) -> None:
        async with uow(owner) as tx:
            await catalogue_store.add_provider(tx, a_provider())
        async with uow(a_tenant_id()) as tx:
            assert list(await catalogue_store.providers(tx)) == []
            with pytest.raises(UnknownProvider):
                await catalogue_store.remove_provider(tx, "openai")
