import asyncio
from datetime import timedelta
from typing import Any

import pytest

from omni_core.adapters.crypto import HmacDigest, MasterKey
from omni_core.adapters.memory.tenancy import MemoryDirectory, MemoryKeyStore, MemoryTenantStore
from omni_core.domain.kernel.tenancy import Scope
from omni_core.domain.tenancy.api import ApiKey, Authenticator, Tenant, TenantStatus
from omni_core.domain.tenancy.errors import KeyExpired, KeyRejected, KeyRevoked, TenantSuspended
from omni_core.domain.tenancy.keys import KeyToken
from omni_core.domain.tenancy.ports import Directory, KeyRecord
from omni_core.testing.builders.tenancy import a_key_token, a_tenant, an_api_key
from tests.support.backends import Backend

DIGEST = HmacDigest(MasterKey(bytes(32)))


class CountedDirectory:
    """A directory that remembers which keys it was asked for."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self.tenant_of_slug = directory.tenant_of_slug
        self.tenant_ids = directory.tenant_ids
        self.asked: list[str] = []

    async def find_key(self, public_id: str) -> KeyRecord | None:
        self.asked.append(public_id)
        return await self._directory.find_key(public_id)


@pytest.fixture
def directory(memory: Backend) -> CountedDirectory:
    return CountedDirectory(memory.make(MemoryDirectory))


@pytest.fixture
def authenticator(memory: Backend, directory: CountedDirectory) -> Authenticator:
    return Authenticator(directory, DIGEST, memory.clock, fresh_s=0.5)


async def a_stored_key(memory: Backend, tenant: Tenant | None = None, **given: Any) -> tuple[ApiKey, KeyToken]:
    token = a_key_token()
    tenant = tenant or a_tenant()
    key = an_api_key(tenant.id, public_id=token.public_id, digest=DIGEST.digest(token.secret), **given)
    async with memory.uow(tenant.id) as tx:
        await memory.make(MemoryTenantStore).add(tx, tenant)
        await memory.make(MemoryKeyStore).add(tx, key)
    return key, token


async def test_a_key_stands_for_its_tenant(authenticator: Authenticator, memory: Backend):
    key, token = await a_stored_key(memory, scopes=frozenset({Scope.CHAT}))
    principal = await authenticator.authenticate(token.reveal())
    assert (principal.tenant_id, principal.key_id) == (key.tenant_id, key.id)
    assert principal.scopes == frozenset({Scope.CHAT})


async def test_another_secret_is_rejected(authenticator: Authenticator, memory: Backend):
    _, token = await a_stored_key(memory)
    with pytest.raises(KeyRejected):
        await authenticator.authenticate(KeyToken(token.public_id, a_key_token().secret).reveal())


async def test_the_key_of_another_installation_is_rejected(memory: Backend):
    _, token = await a_stored_key(memory)
    elsewhere = Authenticator(memory.make(MemoryDirectory), HmacDigest(MasterKey(bytes(range(32)))), memory.clock)
    with pytest.raises(KeyRejected):
        await elsewhere.authenticate(token.reveal())


async def test_text_that_is_no_key_is_rejected_unasked(authenticator: Authenticator, directory: CountedDirectory):
    for text in ("", "Bearer x", "omni_sk_" + "é" * 51):
        with pytest.raises(KeyRejected):
            await authenticator.authenticate(text)
    assert directory.asked == []


async def test_an_unknown_key_is_asked_for_once_while_fresh(
    authenticator: Authenticator, directory: CountedDirectory, memory: Backend
):
    public_id = a_key_token().public_id
    for _ in range(50):
        with pytest.raises(KeyRejected):
            await authenticator.authenticate(KeyToken(public_id, a_key_token().secret).reveal())
    assert directory.asked == [public_id]
    memory.clock.advance(0.5)
    with pytest.raises(KeyRejected):
        await authenticator.authenticate(KeyToken(public_id, a_key_token().secret).reveal())
    assert directory.asked == [public_id] * 2


async def test_a_known_key_is_asked_for_once_while_fresh(
    authenticator: Authenticator, directory: CountedDirectory, memory: Backend
):
    key, token = await a_stored_key(memory)
    for _ in range(3):
        await authenticator.authenticate(token.reveal())
    memory.clock.advance(0.499)
    await authenticator.authenticate(token.reveal())
    assert directory.asked == [key.public_id]
    memory.clock.advance(0.001)
    await authenticator.authenticate(token.reveal())
    assert directory.asked == [key.public_id] * 2


async def test_callers_at_the_same_moment_share_one_look_up(
    authenticator: Authenticator, directory: CountedDirectory, memory: Backend
):
    key, token = await a_stored_key(memory)
    callers = [asyncio.create_task(authenticator.authenticate(token.reveal())) for _ in range(8)]
    await asyncio.sleep(0)
    callers[0].cancel()
    principals = await asyncio.gather(*callers[1:])
    assert {principal.key_id for principal in principals} == {key.id}
    assert directory.asked == [token.public_id]


async def test_a_revoked_key_is_refused_once_its_record_is_old(authenticator: Authenticator, memory: Backend):
    key, token = await a_stored_key(memory)
    await authenticator.authenticate(token.reveal())
    key.revoke(memory.clock.now())
    async with memory.uow(key.tenant_id) as tx:
        await memory.make(MemoryKeyStore).save(tx, key)
    memory.clock.advance(0.5)
    with pytest.raises(KeyRevoked):
        await authenticator.authenticate(token.reveal())


async def test_an_expired_key_is_refused_at_its_moment_however_fresh(authenticator: Authenticator, memory: Backend):
    _, token = await a_stored_key(memory, expires_at=memory.clock.now() + timedelta(seconds=0.25))
    await authenticator.authenticate(token.reveal())
    memory.clock.advance(0.25)
    with pytest.raises(KeyExpired):
        await authenticator.authenticate(token.reveal())


async def test_a_suspended_tenants_key_is_refused(authenticator: Authenticator, memory: Backend):
    _, token = await a_stored_key(memory, a_tenant(status=TenantStatus.SUSPENDED))
    with pytest.raises(TenantSuspended):
        await authenticator.authenticate(token.reveal())


async def test_only_the_holder_of_the_secret_learns_what_became_of_a_key(authenticator: Authenticator, memory: Backend):
    key, token = await a_stored_key(memory, a_tenant(status=TenantStatus.SUSPENDED))
    key.revoke(memory.clock.now())
    async with memory.uow(key.tenant_id) as tx:
        await memory.make(MemoryKeyStore).save(tx, key)
    with pytest.raises(KeyRejected):
        await authenticator.authenticate(KeyToken(token.public_id, a_key_token().secret).reveal())
    with pytest.raises(KeyRevoked):
        await authenticator.authenticate(token.reveal())


async def test_what_is_remembered_has_a_limit(directory: CountedDirectory, memory: Backend):
    authenticator = Authenticator(directory, DIGEST, memory.clock, max_entries=2)
    key, token = await a_stored_key(memory)
    await authenticator.authenticate(token.reveal())
    for _ in range(2):
        with pytest.raises(KeyRejected):
            await authenticator.authenticate(a_key_token().reveal())
    await authenticator.authenticate(token.reveal())
    assert directory.asked.count(key.public_id) == 2
