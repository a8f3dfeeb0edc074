"""What every TenantStore does."""

import pytest

from omni_core.domain.kernel.stored import rebuilds
from omni_core.domain.kernel.tenancy import TenantId
from omni_core.domain.kernel.uow import UnitOfWork
from omni_core.domain.tenancy.errors import MemberExists, TenantExists, UnknownMember, UnknownTenant
from omni_core.domain.tenancy.model import Member, MemberRole, Tenant, TenantStatus
from omni_core.domain.tenancy.ports import TenantStore
from omni_core.testing.builders.kernel import a_tenant_id, unheard_of
from omni_core.testing.builders.tenancy import a_member, a_tenant


class TenantStoreContract:
    """Fixtures: `tenant_store`, and a `uow` of the same technology."""

    async def test_a_tenant_comes_back_as_it_went_in(self, uow: UnitOfWork, tenant_store: TenantStore) -> None:
        tenant = await stored(uow, tenant_store, a_tenant(name="Ärzte & Söhne"))
        async with uow(tenant.id) as tx:
            assert await tenant_store.get(tx) == tenant
            assert await tenant_store.lock(tx) == tenant

    async def test_a_tenant_that_was_never_made_is_unknown(self, uow: UnitOfWork, tenant_store: TenantStore) -> None:
        async with uow(a_tenant_id()) as tx:
            with pytest.raises(UnknownTenant):
                await tenant_store.get(tx)
            with pytest.raises(UnknownTenant):
                await tenant_store.lock(tx)

    async def test_a_slug_is_taken_once(self, uow: UnitOfWork, tenant_store: TenantStore) -> None:
        first = await stored(uow, tenant_store, a_tenant())
        second = a_tenant(slug=first.slug)
        with pytest.raises(TenantExists):
            await stored(uow, tenant_store, second)
        async with uow(second.id) as tx:
            with pytest.raises(UnknownTenant):
                await tenant_store.get(tx)

    async def test_name_and_status_are_saved(self, uow: UnitOfWork, tenant_store: TenantStore) -> None:
        tenant = await stored(uow, tenant_store, a_tenant())
        async with uow(tenant.id) as tx:
            locked = await tenant_store.lock(tx)
            locked.name = "Acme & Co"
            locked.suspend()
            await tenant_store.save(tx, locked)
        async with uow(tenant.id) as tx:
            saved = await tenant_store.get(tx)
        assert (saved.name, saved.status) == ("Acme & Co", TenantStatus.SUSPENDED)
        assert (saved.slug, saved.created_at) == (tenant.slug, tenant.created_at)

    async def test_what_was_read_is_the_readers_own(self, uow: UnitOfWork, tenant_store: TenantStore) -> None:
        tenant = await stored(uow, tenant_store, a_tenant(name="Acme"))
        async with uow(tenant.id) as tx:
            (await tenant_store.get(tx)).name = "changed, never saved"
            assert (await tenant_store.get(tx)).name == "Acme"

    async def test_members_are_listed_from_the_oldest(self, uow: UnitOfWork, tenant_store: TenantStore) -> None:
        tenant = await stored(uow, tenant_store, a_tenant())
        members = [a_member(tenant.id) for _ in range(3)]
        async with uow(tenant.id) as tx:
            for member in reversed(members):
                await tenant_store.add_member(tx, member)
        assert await members_of(uow, tenant_store, tenant.id) == members

    async def test_an_address_is_a_member_once(self, uow: UnitOfWork, tenant_store: TenantStore) -> None:
        tenant = await stored(uow, tenant_store, a_tenant())
        member = a_member(tenant.id, email="ada@example.com")
        async with uow(tenant.id) as tx:
            await tenant_store.add_member(tx, member)
        async with uow(tenant.id) as tx:
            with pytest.raises(MemberExists):
                await tenant_store.add_member(tx, a_member(tenant.id, email="ADA@example.com"))
        assert await members_of(uow, tenant_store, tenant.id) == [member]

    async def test_an_address_may_belong_to_two_tenants(self, uow: UnitOfWork, tenant_store: TenantStore) -> None:
        for _ in range(2):
            tenant = await stored(uow, tenant_store, a_tenant())
            async with uow(tenant.id) as tx:
                await tenant_store.add_member(tx, a_member(tenant.id, email="ada@example.com"))
            assert [member.email for member in await members_of(uow, tenant_store, tenant.id)] == ["ada@example.com"]

    async def test_a_member_can_be_removed_once(self, uow: UnitOfWork, tenant_store: TenantStore) -> None:
        tenant = await stored(uow, tenant_store, a_tenant())
        stays, goes = a_member(tenant.id), a_member(tenant.id)
        async with uow(tenant.id) as tx:
            await tenant_store.add_member(tx, stays)
            await tenant_store.add_member(tx, goes)
        async with uow(tenant.id) as tx:
            await tenant_store.remove_member(tx, goes.id)
            with pytest.raises(UnknownMember):
                await tenant_store.remove_member(tx, goes.id)
        assert await members_of(uow, tenant_store, tenant.id) == [stays]

    async def test_a_tenants_transaction_reaches_no_other_tenant(
        self, uow: UnitOfWork, tenant_store: TenantStore
    ) -> None:
        ours = await stored(uow, tenant_store, a_tenant(name="Ours"))
        theirs = await stored(uow, tenant_store, a_tenant(name="Theirs"))
        member = a_member(theirs.id)
        async with uow(theirs.id) as tx:
            await tenant_store.add_member(tx, member)
        async with uow(ours.id) as tx:
            assert (await tenant_store.get(tx)).name == "Ours"
            assert await tenant_store.members(tx) == []
            with pytest.raises(UnknownMember):
                await tenant_store.remove_member(tx, member.id)
        assert await members_of(uow, tenant_store, theirs.id) == [member]

    async def test_a_tenant_of_another_release_is_read_and_repaired(
        self, uow: UnitOfWork, tenant_store: TenantStore
    ) -> None:
        slug = f"Not a slug {a_tenant_id()}"
        tenant = rebuilds(a_tenant)(slug=slug, name=" ", status=unheard_of(TenantStatus))
        await stored(uow, tenant_store, tenant)
        async with uow(tenant.id) as tx:
            assert await tenant_store.get(tx) == tenant
            locked = await tenant_store.lock(tx)
            locked.name = "Acme"
            locked.reactivate()
            await tenant_store.save(tx, locked)
        async with uow(tenant.id) as tx:
            repaired = await tenant_store.get(tx)
        assert (repaired.slug, repaired.name, repaired.status) == (slug, "Acme", TenantStatus.ACTIVE)

    async def test_a_member_of_another_release_is_listed_and_removed(
        self, uow: UnitOfWork, tenant_store: TenantStore
    ) -> None:
        tenant = await stored(uow, tenant_store, a_tenant())
        member = rebuilds(a_member)(tenant.id, email="No Address", role=unheard_of(MemberRole))
        async with uow(tenant.id) as tx:
            await tenant_store.add_member(tx, member)
        assert await members_of(uow, tenant_store, tenant.id) == [member]
        async with uow(tenant.id) as tx:
            await tenant_store.remove_member(tx, member.id)
        assert await members_of(uow, tenant_store, tenant.id) == []


async def stored(uow: UnitOfWork, tenant_store: TenantStore, tenant: Tenant) -> Tenant:
    """Commit a new tenant and return it."""
    async with uow(tenant.id) as tx:
        await tenant_store.add(tx, tenant)
    return tenant


async def members_of(uow: UnitOfWork, tenant_store: TenantStore, tenant_id: TenantId) -> list[Member]:
    """Return the members as they are committed."""
    async with uow(tenant_id) as tx:
        return await tenant_store.members(tx)
