"""What there is to know of a database before it is backed up or replaced."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import asyncpg
import msgspec

from omni_core.adapters.postgres.connecting import not_connected
from omni_core.adapters.postgres.engine import CONNECT_WITHIN_S, STATEMENT_WITHIN_S, driver_url

_FACTS = """
select current_setting('server_version_num')::int / 10000 as version, r.rolsuper or r.rolbypassrls as sees_all,
       to_regclass('alembic_version') is not null as has_schema,
       (select count(*) from pg_stat_activity
         where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend') as others
  from pg_roles r where r.rolname = current_user
"""


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """`sees_all` says that row-level security does not bind the role; one that it binds cannot count the calls."""

    version: int
    sees_all: bool
    others: int
    """How many other connections there are."""
    schema: str | None = None
    tenants: int = 0
    calls: int | None = None


async def facts_of(url: str, *, setting: str) -> Facts:
    """Look at the database; raise `DatabaseUnavailable` or `Refused`."""
    async with _connected(url, setting) as connection:
        (row,) = await connection.fetch(_FACTS)
        found = Facts(version=row["version"], sees_all=row["sees_all"], others=row["others"])
        if not row["has_schema"]:
            return found
        schema = await connection.fetchval("select version_num from alembic_version")
        # The directory tells of every tenant, whomever row-level security binds.
        tenants = await connection.fetchval("select count(*) from omni_tenant_ids(1000000, null)")
        calls = await connection.fetchval("select count(*) from usage_event") if found.sees_all else None
    return msgspec.structs.replace(found, schema=schema, tenants=tenants, calls=calls)


@asynccontextmanager
async def _connected(url: str, setting: str) -> AsyncGenerator[asyncpg.Connection, None]:
    try:
        connection = await asyncpg.connect(
            driver_url(url), timeout=CONNECT_WITHIN_S, command_timeout=STATEMENT_WITHIN_S
        )
    except (OSError, TimeoutError, asyncpg.PostgresError) as error:
        raise not_connected(url, error, setting=setting) from error
    try:
        yield connection
    finally:
        await connection.close(timeout=CONNECT_WITHIN_S)
