"""Keys, across two authenticators that share nothing but the database, as two processes do."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import asyncpg
import pytest

from omni_core.adapters.crypto import HmacDigest, MasterKey
from omni_core.adapters.postgres.tenancy import PostgresDirectory, PostgresKeyStore, PostgresTenantStore
from omni_core.adapters.system import SystemClock, SystemEntropy
from omni_core.domain.kernel.tenancy import OPERATOR, Principal
from omni_core.domain.tenancy.api import ApiKeys, Authenticator, CreateKey, CreateTenant, NewKey, Tenants
from omni_core.domain.tenancy.errors import KeyExpired, KeyRejected, KeyRevoked, TenantSuspended
from omni_core.domain.tenancy.keys import KeyToken
from omni_core.testing import FixedClock
from omni_core.testing.builders.tenancy import a_key_token, a_tenant
from tests.support.backends import Backend

pytestmark = pytest.mark.postgres

DIGEST = HmacDigest(MasterKey(bytes(32)))
WITHIN_S = 1.0


@pytest.fixture
def tenants(postgres: Backend) -> Tenants:
    return Tenants(
        postgres.uow, postgres.make(PostgresTenantStore), postgres.make(PostgresDirectory), SystemClock(), postgres.ids
    )


@pytest.fixture
def api_keys(postgres: Backend) -> ApiKeys:
    return ApiKeys(postgres.uow, postgres.make(PostgresKeyStore), DIGEST, SystemClock(), postgres.ids, SystemEntropy())


@pytest.fixture
async def operator(tenants: Tenants) -> Principal:
    tenant = await tenants.create(OPERATOR, CreateTenant(a_tenant().slug, "Acme"))
    return Principal.operator(tenant.id)


@pytest.fixture
async def key(api_keys: ApiKeys, operator: Principal) -> NewKey:
    return await api_keys.create(operator, CreateKey("server"))


@pytest.fixture
def elsewhere(postgres: Backend) -> Authenticator:
    """Another process's, with the freshness that ships."""
    return Authenticator(postgres.make(PostgresDirectory), DIGEST, SystemClock())


async def admitted_until(authenticator: Authenticator, secret: str, error: type[Exception]) -> float:
    """Present a key over and over; return after how many seconds `error` met it."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    while loop.time() - began < 10 * WITHIN_S:
        try:
            await authenticator.authenticate(secret)
        except error:
            break
        await asyncio.sleep(0.02)
    return loop.time() - began


async def test_a_key_revoked_here_is_refused_elsewhere_within_a_second(
    elsewhere: Authenticator, api_keys: ApiKeys, operator: Principal, key: NewKey
):
    assert (await elsewhere.authenticate(key.secret)).tenant_id == operator.tenant_id
    await api_keys.revoke(operator, key.key.id)
    assert await admitted_until(elsewhere, key.secret, KeyRevoked) < WITHIN_S


async def test_a_tenant_suspended_here_is_refused_elsewhere_within_a_second(
    elsewhere: Authenticator, tenants: Tenants, operator: Principal, key: NewKey
):
    await elsewhere.authenticate(key.secret)
    await tenants.suspend(operator)
    assert await admitted_until(elsewhere, key.secret, TenantSuspended) < WITHIN_S


async def test_a_tenant_reactivated_is_let_in_again(
    elsewhere: Authenticator, tenants: Tenants, operator: Principal, key: NewKey
):
    await tenants.suspend(operator)
    await tenants.reactivate(operator)
    assert (await elsewhere.authenticate(key.secret)).key_id == key.key.id


async def test_an_expired_key_is_refused(
    elsewhere: Authenticator, postgres: Backend, api_keys: ApiKeys, operator: Principal
):
    expires_at = SystemClock().now() + timedelta(hours=1)
    key = await api_keys.create(operator, CreateKey("server", expires_at=expires_at))
    assert (await elsewhere.authenticate(key.secret)).key_id == key.key.id
    later = Authenticator(postgres.make(PostgresDirectory), DIGEST, FixedClock(expires_at))
    with pytest.raises(KeyExpired):
        await later.authenticate(key.secret)


async def test_another_secret_is_rejected(elsewhere: Authenticator, key: NewKey):
    guess = KeyToken(key.key.public_id, a_key_token().secret).reveal()
    with pytest.raises(KeyRejected):
        await elsewhere.authenticate(guess)
    assert (await elsewhere.authenticate(key.secret)).key_id == key.key.id


@pytest.fixture
async def one_connection(app_url: str) -> AsyncIterator[asyncpg.Pool]:
    async with asyncpg.create_pool(app_url, min_size=1, max_size=1) as pool:
        yield pool


async def test_guesses_at_one_key_cost_the_database_one_question(one_connection: asyncpg.Pool, key: NewKey):
    authenticator = Authenticator(PostgresDirectory(one_connection), DIGEST, SystemClock(), fresh_s=60)
    for public_id in (a_key_token().public_id, key.key.public_id):
        asked: list[str] = []
        async with one_connection.acquire() as connection:
            connection.add_query_logger(lambda record, asked=asked: asked.append(record.query))
        for _ in range(50):
            with pytest.raises(KeyRejected):
                await authenticator.authenticate(KeyToken(public_id, a_key_token().secret).reveal())
        assert len([query for query in asked if "omni_find_key" in query]) == 1
