from uuid import UUID

import pytest

from omni_core.adapters.memory.events import MemoryEventLog
from omni_core.adapters.memory.tenancy import MemoryDirectory, MemoryTenantStore
from omni_core.domain.kernel.errors import InvalidValue, MissingScope
from omni_core.domain.kernel.pages import PageRequest
from omni_core.domain.kernel.tenancy import OPERATOR, Principal, Scope, TenantId
from omni_core.domain.tenancy.api import CreateTenant, MemberRole, Tenants, TenantStatus
from omni_core.domain.tenancy.errors import (
    InvalidSlug,
    LastOwner,
    MemberExists,
    TenantExists,
    UnknownMember,
    UnknownTenant,
)
from omni_core.testing.builders.kernel import a_tenant_id
from omni_core.testing.builders.tenancy import a_principal
from tests.support.backends import Backend


@pytest.fixture
def tenants(memory: Backend) -> Tenants:
    return Tenants(memory.uow, memory.make(MemoryTenantStore), memory.make(MemoryDirectory), memory.clock, memory.ids)


@pytest.fixture
async def operator(tenants: Tenants) -> Principal:
    """The operator, acting for a tenant that has one owner."""
    tenant = await tenants.create(OPERATOR, CreateTenant("demo", "Demo", "ada@example.com"))
    return Principal.operator(tenant.id)


async def event_types(memory: Backend, tenant_id: TenantId) -> list[str]:
    async with memory.uow(tenant_id) as tx:
        page = await memory.make(MemoryEventLog).read(tx, PageRequest())
    return [event.event_type.removeprefix("tenancy.") for event in page.items]


async def test_a_new_tenant_is_active_and_has_its_owner(tenants: Tenants, memory: Backend):
    tenant = await tenants.create(OPERATOR, CreateTenant("demo", "Demo", "Ada@example.com"))
    assert (tenant.slug, tenant.name, tenant.status) == ("demo", "Demo", TenantStatus.ACTIVE)
    assert tenant.created_at == memory.clock.now()
    (owner,) = await tenants.members(Principal.operator(tenant.id))
    assert (owner.email, owner.role) == ("ada@example.com", MemberRole.OWNER)
    assert await event_types(memory, tenant.id) == ["tenant_created", "member_added"]


async def test_a_tenant_may_begin_without_members(tenants: Tenants):
    tenant = await tenants.create(OPERATOR, CreateTenant("demo", "Demo"))
    assert await tenants.members(Principal.operator(tenant.id)) == []


@pytest.mark.parametrize(
    "command,error",
    [
        (CreateTenant("Demo!", "Demo"), InvalidSlug),
        (CreateTenant("demo", " "), InvalidValue),
        (CreateTenant("demo", "Demo", "nobody"), InvalidValue),
    ],
)
async def test_a_tenant_that_could_not_be_made_leaves_nothing(tenants: Tenants, command, error):
    with pytest.raises(error):
        await tenants.create(OPERATOR, command)
    assert (await tenants.list(OPERATOR, PageRequest())).items == ()


async def test_a_slug_is_taken_once(tenants: Tenants, operator: Principal):
    with pytest.raises(TenantExists) as refused:
        await tenants.create(OPERATOR, CreateTenant("demo", "Another"))
    assert refused.value.fields == {"slug": "demo"}


async def test_a_tenant_is_found_by_slug_and_by_id(tenants: Tenants, operator: Principal):
    assert await tenants.resolve(OPERATOR, "demo") == operator.tenant_id
    assert await tenants.resolve(OPERATOR, str(operator.tenant_id)) == operator.tenant_id


@pytest.mark.parametrize("name", ["nobody", str(UUID(int=7)), "x" * 36])
async def test_nobody_is_found_by_a_name_that_nobody_has(tenants: Tenants, operator: Principal, name):
    with pytest.raises(UnknownTenant):
        await tenants.resolve(OPERATOR, name)


async def test_tenants_are_listed_in_pages_from_the_oldest(tenants: Tenants):
    made = [await tenants.create(OPERATOR, CreateTenant(slug, slug)) for slug in ("c", "a", "b")]
    first = await tenants.list(OPERATOR, PageRequest(2))
    rest = await tenants.list(OPERATOR, PageRequest(2, first.next_cursor))
    assert [*first.items, *rest.items] == made
    assert (len(first.items), rest.next_cursor) == (2, None)


async def test_a_key_of_the_tenant_reads_its_tenant(tenants: Tenants, operator: Principal):
    assert (await tenants.get(a_principal(operator.tenant_id, Scope.TENANT_READ))).slug == "demo"


async def test_a_tenant_is_suspended_and_reactivated_once_each(tenants: Tenants, operator: Principal, memory: Backend):
    for _ in range(2):
        assert (await tenants.suspend(operator)).status is TenantStatus.SUSPENDED
    assert (await tenants.get(operator)).status is TenantStatus.SUSPENDED
    for _ in range(2):
        assert (await tenants.reactivate(operator)).status is TenantStatus.ACTIVE
    assert (await event_types(memory, operator.tenant_id))[2:] == ["tenant_suspended", "tenant_reactivated"]


async def test_a_tenant_that_is_not_there_cannot_be_suspended(tenants: Tenants):
    with pytest.raises(UnknownTenant):
        await tenants.suspend(Principal.operator(a_tenant_id()))


async def test_members_come_and_go(tenants: Tenants, operator: Principal, memory: Backend):
    added = await tenants.add_member(operator, "Bob@example.com", MemberRole.VIEWER)
    assert [member.email for member in await tenants.members(operator)] == ["ada@example.com", "bob@example.com"]
    await tenants.remove_member(operator, added.id)
    assert [member.email for member in await tenants.members(operator)] == ["ada@example.com"]
    assert (await event_types(memory, operator.tenant_id))[2:] == ["member_added", "member_removed"]


async def test_an_address_is_a_member_once(tenants: Tenants, operator: Principal, memory: Backend):
    with pytest.raises(MemberExists):
        await tenants.add_member(operator, "ADA@example.com", MemberRole.ADMIN)
    assert len(await event_types(memory, operator.tenant_id)) == 2


async def test_the_last_owner_stays(tenants: Tenants, operator: Principal):
    (owner,) = await tenants.members(operator)
    await tenants.add_member(operator, "bob@example.com", MemberRole.ADMIN)
    with pytest.raises(LastOwner):
        await tenants.remove_member(operator, owner.id)
    await tenants.add_member(operator, "eve@example.com", MemberRole.OWNER)
    await tenants.remove_member(operator, owner.id)
    assert owner not in await tenants.members(operator)


async def test_an_unknown_member_cannot_be_removed(tenants: Tenants, operator: Principal):
    with pytest.raises(UnknownMember):
        await tenants.remove_member(operator, UUID(int=7))


async def test_a_member_of_another_tenant_is_unknown(tenants: Tenants, operator: Principal):
    other = await tenants.create(OPERATOR, CreateTenant("other", "Other", "eve@example.com"))
    (eve,) = await tenants.members(Principal.operator(other.id))
    with pytest.raises(UnknownMember):
        await tenants.remove_member(operator, eve.id)


async def test_each_use_case_needs_its_scope(tenants: Tenants, operator: Principal):
    everything_but = {
        scope: Principal(operator.tenant_id, "key:x", frozenset(Scope) - {scope})
        for scope in (Scope.PLATFORM_ADMIN, Scope.TENANT_READ, Scope.TENANT_WRITE)
    }
    (owner,) = await tenants.members(operator)
    denied = [
        tenants.create(everything_but[Scope.PLATFORM_ADMIN], CreateTenant("new", "New")),
        tenants.resolve(everything_but[Scope.PLATFORM_ADMIN], "demo"),
        tenants.list(everything_but[Scope.PLATFORM_ADMIN], PageRequest()),
        tenants.suspend(everything_but[Scope.PLATFORM_ADMIN]),
        tenants.reactivate(everything_but[Scope.PLATFORM_ADMIN]),
        tenants.get(everything_but[Scope.TENANT_READ]),
        tenants.members(everything_but[Scope.TENANT_READ]),
        tenants.add_member(everything_but[Scope.TENANT_WRITE], "bob@example.com", MemberRole.VIEWER),
        tenants.remove_member(everything_but[Scope.TENANT_WRITE], owner.id),
    ]
    for use_case in denied:
        with pytest.raises(MissingScope):
            await use_case
