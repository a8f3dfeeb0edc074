"""The program's role cannot step around row-level security, nor become one that can."""

import asyncpg
import pytest

from omni_core.adapters.postgres.engine import APP_ROLE, RoleTooPowerful, open_database
from omni_core.domain.kernel.tenancy import PLATFORM
from tests.support.database import connected, run_sql

pytestmark = pytest.mark.postgres

# As whom a worker reads the queue of jobs, which holds ids of tenants and jobs and nothing else.
WORKER_ROLE = "omni_worker"


@pytest.fixture
async def app(app_url: str):
    async with connected(app_url) as connection:
        yield connection


async def test_the_role_is_a_plain_one(app: asyncpg.Connection):
    role = await app.fetchrow("select * from pg_roles where rolname = current_user")
    assert role is not None
    assert role["rolname"] == APP_ROLE
    powers = ("rolsuper", "rolbypassrls", "rolcreaterole", "rolcreatedb", "rolreplication")
    assert [power for power in powers if role[power]] == []


async def test_the_role_owns_nothing(app: asyncpg.Connection):
    for owned in (
        "pg_class where relowner",
        "pg_proc where proowner",
        "pg_namespace where nspowner",
        "pg_type where typowner",
        "pg_database where datdba",
    ):
        assert await app.fetchval(f"select count(*) from {owned} = '{APP_ROLE}'::regrole") == 0, owned


async def test_no_role_of_omni_belongs_to_another(app: asyncpg.Connection):
    members = await app.fetch("select * from pg_auth_members where member::regrole::text like 'omni%'")
    assert members == []


async def test_a_worker_reaches_the_queue_alone_and_the_schemas_version(app: asyncpg.Connection):
    reached = await app.fetch(
        "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v', 'm') "
        "and has_any_column_privilege($1, oid, 'select, insert, update, references')",
        WORKER_ROLE,
    )
    assert [row["relname"] for row in reached if not row["relname"].startswith("pgqueuer")] == ["alembic_version"]
    role = await app.fetchrow(
        "select rolsuper or rolbypassrls as powerful from pg_roles where rolname = $1", WORKER_ROLE
    )
    assert role is not None
    assert not role["powerful"]


@pytest.mark.parametrize(
    "statement",
    [
        "set role postgres",
        "set role omni_directory",
        "set role omni_worker",
        "set session authorization postgres",
        "set session_replication_role = replica",
        "alter role omni_app superuser",
        "alter role omni_app bypassrls",
        "grant omni_directory to omni_app",
        "alter table tenant disable row level security",
        "alter table tenant no force row level security",
        "create policy mine on tenant using (true)",
        "drop policy tenant_tenant on tenant",
        "create table public.mine (id int)",
        "create function public.mine() returns int language sql as 'select 1'",
        "alter function omni_find_key(text) owner to omni_app",
        "copy tenant to program 'cat'",
    ],
)
async def test_the_role_cannot_make_itself_more(app: asyncpg.Connection, statement):
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await app.execute(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "update price set tiers = '[]'",
        "delete from price",
        "update usage_event set cost_picos = 0",
        "delete from usage_event",
        "delete from invoice",
        "update invoice_line set amount_minor = 0",
        "update event set data = '{}'",
        "delete from event",
        "delete from api_key",
        "delete from tenant",
    ],
)
async def test_the_role_cannot_change_what_happened_whichever_tenant_it_names(app: asyncpg.Connection, statement):
    async with app.transaction():
        await app.execute("select set_config('omni.tenant', $1, true)", str(PLATFORM))
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with app.transaction():
                await app.execute(statement)


@pytest.mark.parametrize("statement", ["reset role", "set role none", "reset session authorization", "reset all"])
async def test_there_is_no_other_role_to_fall_back_to(app: asyncpg.Connection, statement):
    await app.execute(statement)
    assert await app.fetchval("select current_user || '/' || session_user") == f"{APP_ROLE}/{APP_ROLE}"
    assert await app.fetchval("select count(*) from tenant") == 0


async def test_switching_row_security_off_switches_reading_off(app: asyncpg.Connection):
    await app.execute("set row_security = off")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await app.fetch("select * from tenant")


async def test_the_program_steps_down_even_where_it_is_given_the_owners_url(owner_url: str):
    async with open_database(owner_url) as database:
        assert await database.pool.fetchval("select current_user") == APP_ROLE
        async with database.engine.connect() as connection:
            assert (await connection.exec_driver_sql("select current_user")).scalar_one() == APP_ROLE


async def test_the_program_does_not_start_as_an_owner(owner_url: str):
    with pytest.raises(RoleTooPowerful) as refused:
        async with open_database(owner_url, role="postgres"):
            pytest.fail("it started")
    assert refused.value.fields == {"role": "postgres"}


async def test_the_program_does_not_start_with_a_role_that_is_exempt(fresh_database_url: str):
    await run_sql(fresh_database_url, "create role exempt login bypassrls")
    try:
        with pytest.raises(RoleTooPowerful):
            async with open_database(fresh_database_url, role="exempt"):
                pytest.fail("it started")
    finally:
        await run_sql(fresh_database_url, "drop role exempt")
