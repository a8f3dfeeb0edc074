"""What PostgreSQL alone can do to a unit of work: break off, not answer, lack a connection, refuse a value."""

import pytest
import sqlalchemy as sa

from omni_core.adapters.memory.tenancy import MemoryTenantStore
from omni_core.adapters.postgres.connecting import DatabaseUnavailable, Refused
from omni_core.adapters.postgres.engine import APP_ROLE, open_database
from omni_core.adapters.postgres.tenancy import PostgresTenantStore
from omni_core.adapters.postgres.uow import PostgresUnitOfWork, connection_of
from omni_core.domain.kernel.errors import InvalidValue
from omni_core.testing import FixedClock, SequentialIds
from omni_core.testing.builders.kernel import a_tenant_id
from omni_core.testing.builders.tenancy import a_tenant
from tests.support.backends import Backend
from tests.support.database import as_role, database_name, run_sql

pytestmark = pytest.mark.postgres


async def end_connections(owner_url: str, database: str) -> None:
    ours = f"datname = '{database}' and usename = '{APP_ROLE}'"
    await run_sql(owner_url, f"select pg_terminate_backend(pid) from pg_stat_activity where {ours}")


async def test_a_transaction_whose_connection_breaks_is_unavailable_and_the_next_one_works(
    fresh_database_url: str, server_url: str
):
    name = database_name(fresh_database_url)
    tenant = a_tenant()
    async with open_database(as_role(fresh_database_url, APP_ROLE), pool_size=2) as database:
        uow = PostgresUnitOfWork(database.engine, FixedClock(), SequentialIds())

        async def be_cut_off() -> None:
            async with uow(tenant.id) as tx:
                await end_connections(server_url, name)
                await connection_of(tx).execute(sa.text("select 1"))

        with pytest.raises(DatabaseUnavailable):
            await be_cut_off()
        async with uow(tenant.id) as tx:
            assert (await connection_of(tx).execute(sa.text("select 1"))).scalar_one() == 1


async def test_a_database_that_is_gone_is_unavailable(fresh_database_url: str, server_url: str):
    name = database_name(fresh_database_url)
    async with open_database(as_role(fresh_database_url, APP_ROLE)) as database:
        uow = PostgresUnitOfWork(database.engine, FixedClock(), SequentialIds())
        await run_sql(server_url, f"alter database {name} allow_connections false")
        await end_connections(server_url, name)
        with pytest.raises(DatabaseUnavailable):
            async with uow(a_tenant_id()):
                pytest.fail("it began")
        with pytest.raises(DatabaseUnavailable):
            await database.ping()


@pytest.mark.parametrize("url", ["postgresql://omni@127.0.0.1:1/omni", "postgresql://omni:hunter2@/omni?host=/nowhere"])
async def test_a_server_that_is_not_there_is_unavailable(url):
    with pytest.raises(DatabaseUnavailable) as unavailable:
        async with open_database(url):
            pytest.fail("it connected")
    assert "hunter2" not in str(unavailable.value)


async def test_a_role_that_is_not_there_is_refused(app_url: str):
    with pytest.raises(Refused):
        async with open_database(as_role(app_url, "nobody")):
            pytest.fail("it connected")


async def test_the_tenant_is_set_for_the_transaction_and_not_for_the_connection(app_url: str):
    setting = sa.text("select coalesce(current_setting('omni.tenant', true), '')")
    tenant_id = a_tenant_id()
    async with open_database(app_url, pool_size=1) as database:
        async with PostgresUnitOfWork(database.engine, FixedClock(), SequentialIds())(tenant_id) as tx:
            assert (await connection_of(tx).execute(setting)).scalar_one() == str(tenant_id)
        async with database.engine.connect() as same:
            assert (await same.execute(setting)).scalar_one() == ""


async def test_a_transaction_of_another_technology_is_refused(postgres: Backend, memory: Backend):
    async with memory.uow(a_tenant_id()) as tx:
        with pytest.raises(TypeError):
            await postgres.make(PostgresTenantStore).get(tx)
    async with postgres.uow(a_tenant_id()) as tx:
        with pytest.raises(TypeError):
            await memory.make(MemoryTenantStore).get(tx)


@pytest.mark.parametrize("column, value", [("text", "a\0b"), ("text", "\ud800"), ("int", 2**31), ("numeric(3)", 1000)])
async def test_a_value_that_no_column_holds_is_invalid(postgres: Backend, column: str, value: str | int):
    statement = sa.text(f"select cast(:value as {column})")

    async def store() -> None:
        async with postgres.uow(a_tenant_id()) as tx:
            await connection_of(tx).execute(statement, {"value": value})

    with pytest.raises(InvalidValue) as caught:
        await store()
    assert str(value) not in caught.value.detail
