"""A row of any table, made from the catalogue alone, so that a test of all tables needs no word about a new one."""

from uuid import UUID

import asyncpg
import msgspec

# SQL for a value of each type that a column which must have one may be of.
SAMPLES = {
    "bigint": "1",
    "boolean": "true",
    "bytea": "'\\x00'::bytea",
    "date": "current_date",
    "double precision": "1",
    "integer": "1",
    "interval": "interval '1 s'",
    "jsonb": "'{}'::jsonb",
    "numeric": "1",
    "smallint": "1",
    "text": "'text ' || gen_random_uuid()",
    "timestamp with time zone": "now()",
    "uuid": "gen_random_uuid()",
}
_TABLES = """
select relname from pg_class
 where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')
   and exists (select from pg_attribute where attrelid = pg_class.oid and attname = 'tenant_id')
 order by relname
"""
_COLUMNS = """
select attname, format_type(atttypid, null) as type, typtype = 'e' as is_enum
  from pg_attribute join pg_type on pg_type.oid = atttypid
 where attrelid = $1::regclass and attnum > 0 and not attisdropped
   and attnotnull and not atthasdef and attidentity = '' and attgenerated = '' and attname <> 'tenant_id'
"""
_CHECKS = """
select conrelid::regclass::text as table, conname from pg_constraint
 where connamespace = 'public'::regnamespace and contype in ('c', 'f')
"""


class SampleTable(msgspec.Struct, frozen=True):
    """A table with tenants' rows. `insert` is SQL that adds a row of the tenant $1."""

    name: str
    insert: str


async def drop_constraints(owner: asyncpg.Connection) -> None:
    """Let any row in, and none by itself: drop checks, foreign keys, triggers, which isolation does not rest on."""
    for row in await owner.fetch(_TABLES):
        await owner.execute(f"alter table {row['relname']} disable trigger user")
    for row in await owner.fetch(_CHECKS):
        await owner.execute(f'alter table {row["table"]} drop constraint "{row["conname"]}" cascade')


async def sample_tables(owner: asyncpg.Connection) -> list[SampleTable]:
    """Return every table that has a column tenant_id."""
    return [await _sample_table(owner, row["relname"]) for row in await owner.fetch(_TABLES)]


async def _sample_table(owner: asyncpg.Connection, name: str) -> SampleTable:
    columns = {row["attname"]: _value(row) for row in await owner.fetch(_COLUMNS, name)}
    names = "".join(f', "{column}"' for column in columns)
    values = "".join(f", {value}" for value in columns.values())
    return SampleTable(name, f"insert into {name} (tenant_id{names}) values ($1{values})")


def _value(column: asyncpg.Record) -> str:
    kind: str = column["type"]
    if kind.endswith("[]"):
        return f"'{{}}'::{kind}"
    if column["is_enum"]:
        return f"(enum_range(null::{kind}))[1]"
    return SAMPLES[kind]


async def in_tenant(connection: asyncpg.Connection, tenant_id: UUID | None) -> None:
    """Bind the open transaction to a tenant, or to none."""
    if tenant_id is not None:
        await connection.execute("select set_config('omni.tenant', $1, true)", str(tenant_id))


async def attempt(connection: asyncpg.Connection, sql: str, *arguments: object) -> str:
    """Return what a statement did (`UPDATE 0`), or `refused` where the role may not do it."""
    try:
        async with connection.transaction():
            return await connection.execute(sql, *arguments)
    except asyncpg.InsufficientPrivilegeError:
        return "refused"
