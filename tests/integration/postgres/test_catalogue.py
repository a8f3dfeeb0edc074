"""The catalogue of the migrated database shows that isolation holds for every table, also for those to come."""

import asyncpg
import pytest

from omni_core.adapters.postgres.engine import APP_ROLE
from tests.support.database import connected

pytestmark = pytest.mark.postgres

# Tables without tenants' rows in them.
TENANTLESS = {"alembic_version": "the schema's own version"}
# The job engine's tables: messages that name a tenant and a job of Omni's own `job` table, nothing of a tenant's.
ENGINE_PREFIX = "pgqueuer"
# Keys that are unique beyond a tenant, because somebody must find a tenant by them.
GLOBAL_KEYS = {
    "tenant_slug_key": "a slug names one tenant of the installation",
    "api_key_public_id_key": "a presented key names its tenant by this",
}
DIRECTORY = {
    "omni_tenant_of_slug": "uuid",
    "omni_tenant_ids": "SETOF uuid",
    "omni_find_key": (
        "TABLE(tenant_id uuid, id uuid, public_id text, digest bytea, name text, scopes text[], "
        "created_at timestamp with time zone, expires_at timestamp with time zone, "
        "revoked_at timestamp with time zone, tenant_status text)"
    ),
    "omni_tenants_with_events_due": "SETOF uuid",
    "omni_tenants_with_events_unsettled": "SETOF uuid",
    "omni_tenants_with_calls_expired": "SETOF uuid",
}
TABLES = """
select relname as name, relrowsecurity and relforcerowsecurity as protected
  from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')
"""
UNIQUE_INDEXES = """
select i.relname as name, t.relname as table, x.indisprimary as primary,
       (select attname from pg_attribute where attrelid = t.oid and attnum = x.indkey[0]) as leader
  from pg_index x join pg_class i on i.oid = x.indexrelid join pg_class t on t.oid = x.indrelid
 where t.relnamespace = 'public'::regnamespace and x.indisunique
"""


def of_tenants(table: str) -> bool:
    return table not in TENANTLESS and not table.startswith(ENGINE_PREFIX)


@pytest.fixture
async def owner(owner_url: str):
    async with connected(owner_url) as connection:
        yield connection


async def test_every_table_is_protected_from_everybody(owner: asyncpg.Connection):
    tables = await owner.fetch(TABLES)
    assert [row["name"] for row in tables if of_tenants(row["name"]) and not row["protected"]] == []


async def test_every_primary_key_leads_with_the_tenant(owner: asyncpg.Connection):
    keys = {row["table"]: row["leader"] for row in await owner.fetch(UNIQUE_INDEXES) if row["primary"]}
    tables = [row["name"] for row in await owner.fetch(TABLES) if of_tenants(row["name"])]
    assert {table: keys.get(table) for table in tables if keys.get(table) != "tenant_id"} == {}


async def test_every_unique_key_leads_with_the_tenant(owner: asyncpg.Connection):
    indexes = [row for row in await owner.fetch(UNIQUE_INDEXES) if of_tenants(row["table"])]
    beyond = {row["name"] for row in indexes if row["leader"] != "tenant_id"}
    assert beyond == set(GLOBAL_KEYS)


async def test_the_program_has_one_policy_for_each_table_and_it_asks_for_the_tenant(owner: asyncpg.Connection):
    policies = await owner.fetch("select * from pg_policies where schemaname = 'public' and $1 = any(roles)", APP_ROLE)
    tables = [row["name"] for row in await owner.fetch(TABLES) if of_tenants(row["name"])]
    assert sorted(row["tablename"] for row in policies) == sorted(tables)
    for policy in policies:
        assert (policy["cmd"], policy["permissive"]) == ("ALL", "PERMISSIVE")
        assert policy["qual"] == policy["with_check"]
        assert policy["qual"].startswith("(tenant_id = ( SELECT (NULLIF(current_setting('omni.tenant'::text, true)")


async def test_only_the_directory_reads_across_tenants(owner: asyncpg.Connection):
    policies = await owner.fetch("select * from pg_policies where schemaname = 'public'")
    others = [row for row in policies if row["roles"] != [APP_ROLE]]
    assert sorted((row["tablename"], row["roles"], row["cmd"]) for row in others) == [
        ("api_key", ["omni_directory"], "SELECT"),
        ("event_head", ["omni_directory"], "SELECT"),
        ("keyed_call", ["omni_directory"], "SELECT"),
        ("tenant", ["omni_directory"], "SELECT"),
    ]


async def test_the_directory_gives_ids_and_one_key(owner: asyncpg.Connection):
    functions = await owner.fetch(
        "select proname, pg_get_function_result(oid) as result, proowner::regrole::text as owner, proconfig, "
        "       has_function_privilege($1, oid, 'execute') as callable, proacl::text as acl "
        "  from pg_proc where pronamespace = 'public'::regnamespace and prosecdef",
        APP_ROLE,
    )
    assert {row["proname"]: row["result"] for row in functions} == DIRECTORY
    for function in functions:
        assert function["owner"] == "omni_directory"
        assert function["callable"]
        assert not function["acl"].startswith(("{=", ",=")), "not for the public"
        assert function["proconfig"] == ["search_path=public, pg_temp"], "nobody slips it another table"


async def test_the_directory_may_read_three_tables_and_when_calls_expire(owner: asyncpg.Connection):
    grants = await owner.fetch(
        "select table_name, privilege_type from information_schema.role_table_grants where grantee = 'omni_directory'"
    )
    assert sorted(map(tuple, grants)) == [("api_key", "SELECT"), ("event_head", "SELECT"), ("tenant", "SELECT")]
    columns = await owner.fetch(
        "select table_name, column_name from information_schema.column_privileges where grantee = 'omni_directory' "
        "and table_name not in (select table_name from information_schema.role_table_grants "
        "                        where grantee = 'omni_directory')"
    )
    assert sorted(map(tuple, columns)) == [
        ("keyed_call", "expires_at"),
        ("keyed_call", "held_until"),
        ("keyed_call", "tenant_id"),
    ]
    role = await owner.fetchrow("select * from pg_roles where rolname = 'omni_directory'")
    assert role is not None
    assert not role["rolcanlogin"]
    assert not role["rolsuper"]
    assert not role["rolbypassrls"]


async def test_no_view_lends_its_owners_rights(owner: asyncpg.Connection):
    lending = await owner.fetch(
        "select relname from pg_class where relnamespace = 'public'::regnamespace and (relkind = 'm' "
        "or (relkind = 'v' and not coalesce(reloptions @> array['security_invoker=true'], false)))"
    )
    assert lending == []
