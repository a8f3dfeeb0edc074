"""No transaction of one tenant reaches a row of another, in any table, whatever SQL it sends."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

import asyncpg
import pytest

from omni_core.adapters.postgres.engine import APP_ROLE
from omni_core.testing.builders.kernel import a_tenant_id
from tests.support.database import as_role
from tests.support.rows import SampleTable, attempt, drop_constraints, in_tenant, sample_tables

pytestmark = pytest.mark.postgres

OURS, THEIRS = a_tenant_id(), a_tenant_id()


@dataclass
class Populated:
    """A database in which each of two tenants has one row in every table.

    `app` and `untouched` are the program's role; the latter has never had a tenant.
    """

    owner: asyncpg.Connection
    app: asyncpg.Connection
    untouched: asyncpg.Connection
    tables: list[SampleTable]

    async def rows_of(self, tenant_id: UUID) -> dict[str, list[str]]:
        return {
            table.name: [row[0] for row in await self.owner.fetch(THEIR_ROWS.format(table.name), tenant_id)]
            for table in self.tables
        }

    @asynccontextmanager
    async def as_app(self, tenant_id: UUID | None) -> AsyncIterator[asyncpg.Connection]:
        transaction = self.app.transaction()
        await transaction.start()
        try:
            await in_tenant(self.app, tenant_id)
            yield self.app
        finally:
            await transaction.rollback()


THEIR_ROWS = "select one::text from {} one where tenant_id = $1"


@pytest.fixture(scope="module")
async def populated(make_database_url: Callable[[], Awaitable[str]]) -> AsyncIterator[Populated]:
    url = await make_database_url()
    owner = await asyncpg.connect(url)
    app, untouched = [await asyncpg.connect(as_role(url, APP_ROLE)) for _ in range(2)]
    await drop_constraints(owner)
    tables = await sample_tables(owner)
    for table in tables:
        for tenant_id in (OURS, THEIRS):
            await owner.execute(table.insert, tenant_id)
    yield Populated(owner, app, untouched, tables)
    for connection in (owner, app, untouched):
        await connection.close()


async def test_there_are_tables_to_look_at(populated: Populated):
    assert {"tenant", "member", "api_key", "event"} <= {table.name for table in populated.tables}
    assert all(len(rows) == 1 for rows in (await populated.rows_of(THEIRS)).values())


async def test_a_tenant_sees_its_own_rows_only(populated: Populated):
    async with populated.as_app(OURS) as app:
        for table in populated.tables:
            seen = await app.fetch(f"select tenant_id from {table.name}")
            assert [row["tenant_id"] for row in seen] == [OURS], table.name


async def test_a_tenant_changes_no_row_of_another(populated: Populated):
    before = await populated.rows_of(THEIRS)
    async with populated.as_app(OURS) as app:
        for table in populated.tables:
            done = await attempt(app, f"update {table.name} set tenant_id = tenant_id where tenant_id = $1", THEIRS)
            assert done in ("UPDATE 0", "refused"), table.name
            done = await attempt(app, f"delete from {table.name} where tenant_id = $1", THEIRS)
            assert done in ("DELETE 0", "refused"), table.name
            assert await attempt(app, f"truncate {table.name}") == "refused", table.name
    assert await populated.rows_of(THEIRS) == before


async def test_a_tenant_adds_no_row_to_another(populated: Populated):
    async with populated.as_app(OURS) as app:
        for table in populated.tables:
            assert await attempt(app, table.insert, THEIRS) == "refused", table.name
            given_away = f"update {table.name} set tenant_id = $1"
            assert await attempt(app, given_away, THEIRS) == "refused", table.name


async def test_without_a_tenant_there_is_nothing(populated: Populated):
    async with populated.as_app(OURS) as app:
        assert await app.fetchval("select count(*) from tenant") == 1
    # After a transaction that had a tenant, the setting is '' instead of absent: both must show nothing.
    for app in (populated.app, populated.untouched):
        for table in populated.tables:
            assert await app.fetchval(f"select count(*) from {table.name}") == 0, table.name
            assert await attempt(app, table.insert, OURS) == "refused", table.name
            assert await attempt(app, f"update {table.name} set tenant_id = tenant_id") in ("UPDATE 0", "refused")


async def test_a_tenant_of_a_transaction_ends_with_it(populated: Populated):
    async with populated.app.transaction():
        await in_tenant(populated.app, OURS)
    assert await populated.app.fetchval("select count(*) from tenant") == 0
