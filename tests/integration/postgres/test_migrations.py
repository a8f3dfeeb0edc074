import asyncio
import pkgutil
from importlib import import_module

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy.ext.asyncio import create_async_engine

from omni_core.adapters.postgres import migrate, tables
from omni_core.adapters.postgres.connecting import Refused
from omni_core.adapters.postgres.engine import engine_url
from omni_core.adapters.postgres.tables.kernel import metadata
from tests.integration.postgres.test_catalogue import ENGINE_PREFIX
from tests.support.database import at_database, connected

pytestmark = pytest.mark.postgres


def differences(connection: sa.Connection) -> list[object]:
    def is_omnis(name: str | None, kind: str, _: object) -> bool:
        return kind != "table" or not str(name).startswith(ENGINE_PREFIX)

    options = {"compare_type": True, "compare_server_default": True, "include_name": is_omnis}
    found: list[object] = compare_metadata(MigrationContext.configure(connection, opts=options), metadata)
    return found


async def test_the_migrations_make_the_tables_that_the_code_knows(owner_url: str):
    for module in pkgutil.iter_modules(tables.__path__, f"{tables.__name__}."):
        import_module(module.name)
    engine = create_async_engine(engine_url(owner_url), poolclass=sa.NullPool)
    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_an_empty_database_is_at_no_revision_and_comes_to_the_latest(empty_database_url: str):
    before = await migrate.state(empty_database_url)
    assert (before.current, before.is_current) == (None, False)
    after = await migrate.upgrade(empty_database_url)
    assert after.is_current
    assert after == await migrate.state(empty_database_url)


async def test_upgrading_again_changes_nothing(fresh_database_url: str):
    catalogue = "select max(xmin::text::bigint) from pg_class"
    async with connected(fresh_database_url) as connection:
        before = await connection.fetchval(catalogue)
        assert (await migrate.upgrade(fresh_database_url)).is_current
        assert await connection.fetchval(catalogue) == before


async def test_who_upgrades_at_once_waits_for_the_first(empty_database_url: str):
    states = await asyncio.gather(*(migrate.upgrade(empty_database_url) for _ in range(4)))
    assert [state.is_current for state in states] == [True] * 4


async def test_a_database_that_is_not_there_is_refused(server_url: str):
    nowhere = at_database(server_url, "nowhere")
    with pytest.raises(Refused):
        await migrate.state(nowhere)
    with pytest.raises(Refused):
        await migrate.upgrade(nowhere)
