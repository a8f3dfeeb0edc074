"""What every Directory does."""

from omni_core.domain.kernel.stored import rebuilds
from omni_core.domain.kernel.tenancy import Scope
from omni_core.domain.kernel.uow import UnitOfWork
from omni_core.domain.tenancy.model import Tenant, TenantStatus
from omni_core.domain.tenancy.ports import Directory, KeyRecord, KeyStore, TenantStore
from omni_core.testing.builders.kernel import unheard_of
from omni_core.testing.builders.tenancy import a_key_token, a_tenant, an_api_key
from omni_core.testing.clock import NOON


class DirectoryContract:
    """Fixtures: `directory`, and of the same technology `uow`, `tenant_store` and `key_store`."""

    async def test_a_slug_leads_to_its_tenant(
        self, directory: Directory, uow: UnitOfWork, tenant_store: TenantStore
    ) -> None:
        tenant = await stored(uow, tenant_store)
        assert await directory.tenant_of_slug(tenant.slug) == tenant.id
        assert await directory.tenant_of_slug(tenant.slug[:-1]) is None
        assert await directory.tenant_of_slug("%") is None

    async def test_tenants_are_counted_off_from_the_oldest(
        self, directory: Directory, uow: UnitOfWork, tenant_store: TenantStore
    ) -> None:
        tenants = [await stored(uow, tenant_store) for _ in range(4)]
        ids = [tenant.id for tenant in tenants]
        assert list(await directory.tenant_ids(2, ids[0])) == ids[1:3]
        assert ids[3] in await directory.tenant_ids(500, ids[2])
        assert len(await directory.tenant_ids(2, None)) == 2

    async def test_a_key_is_found_by_its_whole_public_id(
        self, directory: Directory, uow: UnitOfWork, tenant_store: TenantStore, key_store: KeyStore
    ) -> None:
        tenant = await stored(uow, tenant_store)
        key = an_api_key(tenant.id)
        async with uow(tenant.id) as tx:
            await key_store.add(tx, key)
        found = await directory.find_key(key.public_id)
        assert found is not None
        assert (found.key, found.tenant_status) == (key, TenantStatus.ACTIVE)
        for guess in (key.public_id[:-1], key.public_id.swapcase(), "%", "", a_key_token().public_id):
            assert await directory.find_key(guess) is None

    async def test_what_was_committed_shows_at_once(
        self, directory: Directory, uow: UnitOfWork, tenant_store: TenantStore, key_store: KeyStore
    ) -> None:
        tenant = await stored(uow, tenant_store)
        key = an_api_key(tenant.id)
        async with uow(tenant.id) as tx:
            await key_store.add(tx, key)
        async with uow(tenant.id) as tx:
            locked = await tenant_store.lock(tx)
            locked.suspend()
            await tenant_store.save(tx, locked)
            key.revoke(NOON)
            await key_store.save(tx, key)
        found = await directory.find_key(key.public_id)
        assert found is not None
        assert (found.key.revoked_at, found.tenant_status) == (NOON, TenantStatus.SUSPENDED)

    async def test_what_is_not_committed_does_not_show(
        self, directory: Directory, uow: UnitOfWork, tenant_store: TenantStore, key_store: KeyStore
    ) -> None:
        tenant = a_tenant()
        async with uow(tenant.id) as tx:
            await tenant_store.add(tx, tenant)
            assert await directory.tenant_of_slug(tenant.slug) is None
        key = an_api_key(tenant.id)
        async with uow(tenant.id) as tx:
            await key_store.add(tx, key)
        async with uow(tenant.id) as tx:
            locked = await key_store.lock(tx, key.id)
            locked.revoke(NOON)
            await key_store.save(tx, locked)
            found = await directory.find_key(key.public_id)
            assert found is not None
            assert found.key.revoked_at is None

    async def test_a_key_and_a_tenant_of_another_release_are_found(
        self, directory: Directory, uow: UnitOfWork, tenant_store: TenantStore, key_store: KeyStore
    ) -> None:
        tenant = rebuilds(a_tenant)(name="", status=unheard_of(TenantStatus))
        key = rebuilds(an_api_key)(tenant.id, name="", scopes=frozenset({unheard_of(Scope)}))
        async with uow(tenant.id) as tx:
            await tenant_store.add(tx, tenant)
            await key_store.add(tx, key)
        assert await directory.find_key(key.public_id) == KeyRecord(key, unheard_of(TenantStatus))
        assert await directory.tenant_of_slug(tenant.slug) == tenant.id


async def stored(uow: UnitOfWork, tenant_store: TenantStore) -> Tenant:
    """Commit a new tenant and return it."""
    tenant = a_tenant()
    async with uow(tenant.id) as tx:
        await tenant_store.add(tx, tenant)
    return tenant
