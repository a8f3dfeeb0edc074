"""A PostgreSQL of the operator's own, as docs/howto/operate.md says: nobody in it that Omni uses is a superuser."""

import asyncio
import base64
from collections.abc import Iterator

import asyncpg
import pytest

from omni_core import OPERATOR, ChatRequest, CreateKey, CreateTenant, Message, Month, Omni, Role, SetBudget, Settings
from omni_core.adapters.postgres import migrate
from omni_core.adapters.postgres.engine import APP_ROLE
from omni_core.adapters.postgres.job_consumer import WORKER_ROLE
from omni_core.domain.budgets.api import Window
from omni_core.domain.jobs.api import JobStatus
from omni_core.domain.kernel.tenancy import PLATFORM
from omni_core.testing.builders.kernel import a_tenant_id
from omni_workers.main import run_worker
from tests.integration.postgres.test_events import record_by_hand
from tests.support.database import as_role, at_database, connected, run_sql
from tests.support.rows import in_tenant
from tests.support.server import running_server

pytestmark = pytest.mark.postgres
SECRET_KEY = base64.b64encode(bytes(32)).decode()
QUESTION = Message.of(Role.USER, "The pool opens at nine. When does the pool open?")


@pytest.fixture(scope="module")
def superuser_url() -> Iterator[str]:
    """A server of this module's own: roles belong to a whole server."""
    with running_server() as url:
        yield url


@pytest.fixture(scope="module")
async def owner_url(superuser_url: str) -> str:
    """A migrated database of a plain owner."""
    await run_sql(superuser_url, "create role boss login createrole")
    await run_sql(superuser_url, "create database shop owner boss")
    owner = as_role(at_database(superuser_url, "shop"), "boss")
    await migrate.upgrade(owner)
    return owner


async def test_the_owner_is_no_superuser(owner_url: str) -> None:
    connection = await asyncpg.connect(owner_url)
    assert not await connection.fetchval("select rolsuper or rolbypassrls from pg_roles where rolname = current_user")
    await connection.close()


async def test_the_log_of_an_older_release_is_known_after_its_upgrade(superuser_url: str, owner_url: str) -> None:
    await run_sql(superuser_url, "create database old owner boss")
    url = at_database(owner_url, "old")
    await migrate.upgrade(url, "0008_jobs")
    tenants = [a_tenant_id(), PLATFORM]
    async with connected(as_role(url, APP_ROLE)) as program:
        for tenant_id in tenants:
            await record_by_hand(program, tenant_id, 2)
    await migrate.upgrade(url)
    async with connected(as_role(url, APP_ROLE)) as program:
        query = "select t from omni_tenants_with_events_due(10, now(), null) t"
        assert [row["t"] for row in await program.fetch(query)] == [PLATFORM, tenants[0]]
        async with program.transaction():
            await in_tenant(program, tenants[0])
            assert await program.fetchval("select position from event_head") == 2
            assert await program.fetchval("select count(*) from event") == 2
        assert await program.fetchval("select count(*) from event") == 0


async def test_server_and_worker_need_their_own_roles_only(owner_url: str) -> None:
    settings = Settings(
        database_url=as_role(owner_url, APP_ROLE),
        owner_database_url=as_role(owner_url, WORKER_ROLE),
        secret_key=SECRET_KEY,
    )
    async with Omni.open(Settings(database_url=owner_url, secret_key=SECRET_KEY), upgrade=True):
        pass  # the owner's part: schema and the built-in model
    async with Omni.open(settings) as omni:
        operator = omni.operator((await omni.tenants.create(OPERATOR, CreateTenant("acme", "Acme"))).id)
        await omni.budgets.create(operator, SetBudget(Window.MONTH, "1"))
        key = await omni.keys.create(operator, CreateKey("server"))
        caller = await omni.authenticator.authenticate(key.secret)
        answer = await omni.chat.complete(caller, ChatRequest("omni-brain", (QUESTION,)))
        month = Month.of(answer.created_at)
        job = await omni.jobs.submit(operator, "billing.close", {"month": str(month), "early": True})

        stop = asyncio.Event()
        working = asyncio.create_task(run_worker(omni, stop))
        async with asyncio.timeout(20):
            while not job.is_over:
                await asyncio.sleep(0.02)
                job = await omni.jobs.get(operator, job.id)
        stop.set()
        await working
        assert job.status is JobStatus.SUCCEEDED
        assert (await omni.billing.preview(operator, month)).total.minor == 1
