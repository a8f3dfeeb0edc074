"""Tenants, members and keys whose rows another release wrote."""

import pytest

from omni_core.adapters.crypto import HmacDigest, MasterKey
from omni_core.adapters.memory.tenancy import MemoryDirectory, MemoryKeyStore, MemoryTenantStore
from omni_core.adapters.system import SystemEntropy
from omni_core.domain.kernel.errors import InvalidValue, MissingScope
from omni_core.domain.kernel.pages import PageRequest
from omni_core.domain.kernel.stored import rebuilds
from omni_core.domain.kernel.tenancy import OPERATOR, Principal, Scope
from omni_core.domain.tenancy.api import (
    ApiKeys,
    Authenticator,
    CreateKey,
    CreateTenant,
    MemberRole,
    Tenants,
    TenantStatus,
)
from omni_core.domain.tenancy.errors import LastOwner, TenantSuspended
from omni_core.testing.builders.kernel import unheard_of
from omni_core.testing.builders.tenancy import a_key_token, a_member, a_tenant, an_api_key
from tests.support.backends import Backend

DIGEST = HmacDigest(MasterKey(bytes(32)))
ODD = unheard_of(Scope)


@pytest.fixture
def authenticator(memory: Backend) -> Authenticator:
    return Authenticator(memory.make(MemoryDirectory), DIGEST, memory.clock)


@pytest.fixture
def keys(memory: Backend) -> ApiKeys:
    return ApiKeys(memory.uow, memory.make(MemoryKeyStore), DIGEST, memory.clock, memory.ids, SystemEntropy())


@pytest.fixture
def tenants(memory: Backend) -> Tenants:
    return Tenants(memory.uow, memory.make(MemoryTenantStore), memory.make(MemoryDirectory), memory.clock, memory.ids)


async def a_presented_key(memory: Backend, *scopes: Scope, status: TenantStatus = TenantStatus.ACTIVE) -> str:
    """Store a key of a tenant of its own, with a name that nobody may give it today."""
    tenant, token = rebuilds(a_tenant)(status=status), a_key_token()
    given = {"public_id": token.public_id, "digest": DIGEST.digest(token.secret), "scopes": frozenset(scopes)}
    async with memory.uow(tenant.id) as tx:
        await memory.make(MemoryTenantStore).add(tx, tenant)
        await memory.make(MemoryKeyStore).add(tx, rebuilds(an_api_key)(tenant.id, name="", **given))
    return token.reveal()


async def test_a_key_with_a_scope_that_nobody_knows_is_let_in_with_its_others(authenticator, memory):
    principal = await authenticator.authenticate(await a_presented_key(memory, Scope.CHAT, ODD))
    principal.require(Scope.CHAT)
    for scope in set(Scope) - {Scope.CHAT}:
        with pytest.raises(MissingScope):
            principal.require(scope)


async def test_such_a_key_is_listed_and_revoked(authenticator, keys, memory):
    principal = await authenticator.authenticate(await a_presented_key(memory, Scope.KEYS_READ, Scope.KEYS_WRITE, ODD))
    (listed,) = (await keys.list(principal, PageRequest())).items
    assert listed.scopes == {Scope.KEYS_READ, Scope.KEYS_WRITE, ODD}
    assert (await keys.revoke(principal, listed.id)).revoked_at == memory.clock.now()


async def test_such_a_key_passes_on_what_is_known(authenticator, keys, memory):
    principal = await authenticator.authenticate(await a_presented_key(memory, Scope.KEYS_WRITE, Scope.CHAT, ODD))
    assert (await keys.create(principal, CreateKey("heir"))).key.scopes == {Scope.CHAT}
    assert (await keys.create(principal, CreateKey("heir", ("all",)))).key.scopes == {Scope.CHAT, Scope.KEYS_WRITE}
    with pytest.raises(InvalidValue):
        await keys.create(principal, CreateKey("heir", (ODD.value,)))


async def test_the_keys_of_a_tenant_in_a_state_that_nobody_knows_are_shut_out(authenticator, tenants, memory):
    presented = await a_presented_key(memory, Scope.CHAT, status=unheard_of(TenantStatus))
    with pytest.raises(TenantSuspended, match="unheard_of"):
        await authenticator.authenticate(presented)
    (tenant,) = (await tenants.list(OPERATOR, PageRequest())).items
    assert tenant.status == "unheard_of"
    assert (await tenants.reactivate(Principal.operator(tenant.id))).status is TenantStatus.ACTIVE
    memory.clock.advance(1)
    assert (await authenticator.authenticate(presented)).tenant_id == tenant.id


async def test_a_tenant_in_a_state_that_nobody_knows_can_be_suspended(tenants, memory):
    await a_presented_key(memory, Scope.CHAT, status=unheard_of(TenantStatus))
    (tenant,) = (await tenants.list(OPERATOR, PageRequest())).items
    assert (await tenants.suspend(Principal.operator(tenant.id))).status is TenantStatus.SUSPENDED


async def test_a_member_whose_role_nobody_knows_is_no_owner_and_can_be_removed(tenants, memory):
    tenant = await tenants.create(OPERATOR, CreateTenant("acme", "Acme", "ann@acme.example"))
    operator = Principal.operator(tenant.id)
    odd = rebuilds(a_member)(tenant.id, email="No Address", role=unheard_of(MemberRole))
    async with memory.uow(tenant.id) as tx:
        await memory.make(MemoryTenantStore).add_member(tx, odd)
    owner, listed = sorted(await tenants.members(operator), key=lambda member: member.role)
    assert listed == odd
    with pytest.raises(LastOwner):
        await tenants.remove_member(operator, owner.id)
    await tenants.remove_member(operator, odd.id)
    assert list(await tenants.members(operator)) == [owner]
