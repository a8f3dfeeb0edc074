"""What every KeyStore does."""

import asyncio
from datetime import timedelta

import pytest

from omni_core.domain.kernel.stored import rebuilds
from omni_core.domain.kernel.tenancy import Scope
from omni_core.domain.kernel.uow import UnitOfWork
from omni_core.domain.tenancy.errors import UnknownKey
from omni_core.domain.tenancy.keys import ApiKey
from omni_core.domain.tenancy.ports import KeyStore
from omni_core.testing.builders.kernel import a_tenant_id, unheard_of
from omni_core.testing.builders.tenancy import an_api_key
from omni_core.testing.clock import NOON

DAY = timedelta(days=1)


class KeyStoreContract:
    """Fixtures: `key_store`, and a `uow` of the same technology."""

    async def test_a_key_comes_back_as_it_went_in(self, uow: UnitOfWork, key_store: KeyStore) -> None:
        key = await stored(
            uow,
            key_store,
            an_api_key(
                a_tenant_id(),
                digest=bytes(range(32)),
                scopes=frozenset({Scope.CHAT, Scope.USAGE_READ}),
                expires_at=NOON + timedelta(days=1, microseconds=1),
            ),
        )
        async with uow(key.tenant_id) as tx:
            assert await key_store.lock(tx, key.id) == key
            assert list(await key_store.list(tx, 10, None)) == [key]

    async def test_a_revocation_is_saved(self, uow: UnitOfWork, key_store: KeyStore) -> None:
        key = await stored(uow, key_store, an_api_key(a_tenant_id()))
        async with uow(key.tenant_id) as tx:
            locked = await key_store.lock(tx, key.id)
            locked.revoke(NOON)
            await key_store.save(tx, locked)
        async with uow(key.tenant_id) as tx:
            assert (await key_store.lock(tx, key.id)).revoked_at == NOON

    async def test_an_expiry_is_saved(self, uow: UnitOfWork, key_store: KeyStore) -> None:
        key = await stored(uow, key_store, an_api_key(a_tenant_id()))
        async with uow(key.tenant_id) as tx:
            locked = await key_store.lock(tx, key.id)
            locked.expire(NOON + timedelta(days=1))
            await key_store.save(tx, locked)
        async with uow(key.tenant_id) as tx:
            assert (await key_store.lock(tx, key.id)).expires_at == NOON + timedelta(days=1)

    async def test_it_tells_whether_a_tenant_has_a_key(self, uow: UnitOfWork, key_store: KeyStore) -> None:
        key = await stored(uow, key_store, an_api_key(a_tenant_id()))
        async with uow(key.tenant_id) as tx:
            assert await key_store.has(tx, key.id)
            assert not await key_store.has(tx, key.tenant_id)
        async with uow(a_tenant_id()) as tx:
            assert not await key_store.has(tx, key.id)

    async def test_of_two_revocations_at_once_one_happens(self, uow: UnitOfWork, key_store: KeyStore) -> None:
        key = await stored(uow, key_store, an_api_key(a_tenant_id()))

        async def revoke() -> int:
            async with uow(key.tenant_id) as tx:
                locked = await key_store.lock(tx, key.id)
                await asyncio.sleep(0)
                events = locked.revoke(NOON)
                await key_store.save(tx, locked)
            return len(events)

        assert sorted(await asyncio.gather(*(revoke() for _ in range(4)))) == [0, 0, 0, 1]

    async def test_keys_are_listed_from_the_newest_in_pages(self, uow: UnitOfWork, key_store: KeyStore) -> None:
        tenant_id = a_tenant_id()
        keys = [await stored(uow, key_store, an_api_key(tenant_id)) for _ in range(3)]
        async with uow(tenant_id) as tx:
            first = await key_store.list(tx, 2, None)
            rest = await key_store.list(tx, 2, first[-1].id)
        assert [key.id for key in [*first, *rest]] == [keys[2].id, keys[1].id, keys[0].id]
        assert len(first) == 2

    async def test_a_tenants_transaction_reaches_no_other_tenant(self, uow: UnitOfWork, key_store: KeyStore) -> None:
        theirs = await stored(uow, key_store, an_api_key(a_tenant_id()))
        async with uow(a_tenant_id()) as tx:
            assert list(await key_store.list(tx, 10, None)) == []
            with pytest.raises(UnknownKey):
                await key_store.lock(tx, theirs.id)
        async with uow(theirs.tenant_id) as tx:
            assert await key_store.lock(tx, theirs.id) == theirs

    async def test_a_key_of_another_release_is_read_and_revoked(self, uow: UnitOfWork, key_store: KeyStore) -> None:
        scopes = frozenset({Scope.CHAT, unheard_of(Scope)})
        key = await stored(
            uow, key_store, rebuilds(an_api_key)(a_tenant_id(), name="", scopes=scopes, expires_at=NOON - DAY)
        )
        async with uow(key.tenant_id) as tx:
            assert list(await key_store.list(tx, 10, None)) == [key]
            assert await key_store.has(tx, key.id)
            locked = await key_store.lock(tx, key.id)
            locked.revoke(NOON)
            await key_store.save(tx, locked)
        async with uow(key.tenant_id) as tx:
            revoked = await key_store.lock(tx, key.id)
        assert (revoked.revoked_at, revoked.scopes) == (NOON, scopes)

    async def test_a_key_without_scopes_is_read(self, uow: UnitOfWork, key_store: KeyStore) -> None:
        key = await stored(uow, key_store, rebuilds(an_api_key)(a_tenant_id(), scopes=frozenset()))
        async with uow(key.tenant_id) as tx:
            assert await key_store.lock(tx, key.id) == key


async def stored(uow: UnitOfWork, key_store: KeyStore, key: ApiKey) -> ApiKey:
    """Commit a new key and return it."""
    async with uow(key.tenant_id) as tx:
        await key_store.add(tx, key)
    return key
