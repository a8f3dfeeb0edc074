"""Every append that returned is there exactly once, whatever happens to the connection, the server or a neighbour."""

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from omni_core.adapters.postgres import migrate, usage_batch
from omni_core.adapters.postgres.budgets import PostgresBudgetStore
from omni_core.adapters.postgres.engine import APP_ROLE, Database, open_database
from omni_core.adapters.postgres.uow import PostgresUnitOfWork
from omni_core.adapters.postgres.usage_log import ANSWER_WITHIN_S, MAX_BATCH, QUIET_S, PostgresUsageLog
from omni_core.domain.budgets.model import Budget, Spending
from omni_core.domain.kernel.tenancy import TenantId
from omni_core.domain.metering.api import Quantities
from omni_core.domain.metering.errors import InvalidUsage, UsageNotRecorded
from omni_core.testing import FixedClock, SequentialIds
from omni_core.testing.builders.budgets import CENT, a_budget, a_charge, pot_of, spending_of, stored
from omni_core.testing.builders.kernel import a_tenant_id
from omni_core.testing.builders.metering import a_call
from omni_core.testing.builders.pricing import a_price
from tests.support.database import as_role, connected, database_name, run_sql
from tests.support.restarts import restart, restarting_server

pytestmark = pytest.mark.postgres

PRICE = a_price()
WRITERS = 32
A_WHILE_S = 0.1


class Load:
    """Writers that append one call after another, each charged a cent, until they are told to stop."""

    def __init__(self, url: str, database: Database, log: PostgresUsageLog) -> None:
        self._owner_url = url
        self._uow = PostgresUnitOfWork(database.engine, FixedClock(), SequentialIds())
        self._log = log
        self._tenants: list[TenantId] = [a_tenant_id() for _ in range(3)]
        self._budgets: dict[TenantId, Budget] = {}
        self._stop = asyncio.Event()
        self.appended: list[str] = []
        self.refused = 0
        self._grown = asyncio.Condition()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        for tenant_id in self._tenants:
            budget = a_budget(tenant_id, limit=10**9)
            self._budgets[tenant_id] = await stored(self._uow, PostgresBudgetStore(), budget)
        writers = [asyncio.create_task(self._write(number)) for number in range(WRITERS)]
        await self.goes_on()
        yield
        await self.goes_on()
        self._stop.set()
        await asyncio.gather(*writers)

    async def goes_on(self) -> None:
        """Wait until more has been appended by all writers together than could have been under way."""
        wanted = len(self.appended) + 10 * WRITERS
        async with asyncio.timeout(60), self._grown:
            await self._grown.wait_for(lambda: len(self.appended) >= wanted)

    async def _write(self, number: int) -> None:
        tenant_id = self._tenants[number % len(self._tenants)]
        charges = [a_charge(pot_of(self._budgets[tenant_id]), CENT)]
        while not self._stop.is_set():
            event = a_call(tenant_id, PRICE)
            try:
                assert await self._log.append(event, charges)
            except UsageNotRecorded:
                self.refused += 1
            else:
                self.appended.append(event.idempotency_key)
                async with self._grown:
                    self._grown.notify_all()

    async def check(self) -> None:
        async with connected(self._owner_url) as connection:
            keys = [row["idempotency_key"] for row in await connection.fetch("select * from usage_event")]
        assert len(keys) == len(set(keys))
        assert set(self.appended) <= set(keys)
        assert len(keys) <= len(self.appended) + self.refused
        spendings = [
            await spending_of(self._uow, PostgresBudgetStore(), pot_of(budget)) for budget in self._budgets.values()
        ]
        assert sum(one.spent_picos for one in spendings) == len(keys) * CENT


@asynccontextmanager
async def load_on(url: str) -> AsyncIterator[Load]:
    async with open_database(as_role(url, APP_ROLE)) as database:
        log = PostgresUsageLog(database.pool)
        load = Load(url, database, log)
        async with load.running():
            yield load
        await log.close()
        await load.check()


async def test_no_append_is_lost_or_doubled_when_connections_break(fresh_database_url: str):
    async with load_on(fresh_database_url) as load:
        for _ in range(10):
            await end_connections(fresh_database_url)
            await load.goes_on()
    assert load.refused == 0


@pytest.fixture
def restarting_url() -> Iterator[str]:
    with restarting_server() as url:
        yield url


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT])
async def test_no_append_is_lost_or_doubled_when_the_server_restarts(restarting_url: str, how: signal.Signals):
    await migrate.upgrade(restarting_url)
    # Off in tests, and then a crash may forget what was committed.
    await run_sql(restarting_url, f"alter role {APP_ROLE} set synchronous_commit = on")
    async with load_on(restarting_url) as load:
        await restart(restarting_url, how)
        await load.goes_on()
    assert load.refused == 0


async def test_an_event_that_cannot_be_stored_fails_alone(postgres):
    tenant_id = a_tenant_id()
    budget = await stored(postgres.uow, postgres.make(PostgresBudgetStore), a_budget(tenant_id))
    charges = [a_charge(pot_of(budget), CENT // 100)]
    good = [a_call(tenant_id, PRICE) for _ in range(100)]
    bad = [
        a_call(tenant_id, PRICE, quantities=Quantities(input=2**63)),
        a_call(tenant_id, PRICE, latency_ms=2**31),
        a_call(tenant_id, PRICE, cost_picos=10**38),
    ]
    mixed = [*good[:40], bad[0], bad[1], *good[40:80], bad[2], *good[80:]]
    outcomes = await asyncio.gather(
        *(postgres.make(PostgresUsageLog).append(event, charges) for event in mixed), return_exceptions=True
    )
    for event, outcome in zip(mixed, outcomes, strict=True):
        if event in bad:
            assert isinstance(outcome, InvalidUsage)
            assert isinstance(outcome.__cause__, asyncpg.DataError)
        else:
            assert outcome is True
    assert await spending_of(postgres.uow, postgres.make(PostgresBudgetStore), pot_of(budget)) == Spending(CENT, 0)


async def test_more_than_a_batch_is_written_in_several(postgres):
    tenant_id = a_tenant_id()
    events = [a_call(tenant_id, PRICE) for _ in range(2 * MAX_BATCH + 1)]
    log = postgres.make(PostgresUsageLog)
    assert await asyncio.gather(*(log.append(event) for event in events)) == [True] * len(events)


async def test_a_log_without_a_database_gives_up_and_says_so(fresh_database_url: str, server_url: str):
    async with open_database(as_role(fresh_database_url, APP_ROLE)) as database:
        log = PostgresUsageLog(database.pool, patience_s=0.2)
        event = a_call(a_tenant_id(), PRICE)
        name = database_name(fresh_database_url)
        await run_sql(server_url, f"alter database {name} allow_connections false")
        await end_connections(server_url, name)
        outcomes = await asyncio.gather(
            *(log.append(one) for one in (event, a_call(a_tenant_id(), PRICE))), return_exceptions=True
        )
        assert [type(outcome) for outcome in outcomes] == [UsageNotRecorded] * 2
        assert all(isinstance(outcome, UsageNotRecorded) and outcome.retryable for outcome in outcomes)
        await run_sql(server_url, f"alter database {name} allow_connections true")
        assert await log.append(event)
        await log.close()


async def test_a_quiet_log_holds_no_connection(app_url: str):
    async with open_database(app_url) as database:
        log = PostgresUsageLog(database.pool)
        await log.append(a_call(a_tenant_id(), PRICE))
        assert database.pool.get_idle_size() < database.pool.get_size()
        async with asyncio.timeout(20 * QUIET_S):
            while database.pool.get_idle_size() < database.pool.get_size():  # noqa: ASYNC110 - a pool tells nobody
                await asyncio.sleep(0.01)
        assert await log.append(a_call(a_tenant_id(), PRICE))
        await log.close()


@asynccontextmanager
async def stuck(owner_url: str) -> AsyncIterator[asyncpg.Connection]:
    """Let nobody else write usage for as long as the block lasts; give the connection that can."""
    async with connected(owner_url) as connection, connection.transaction():
        await connection.execute("lock table usage_event")
        yield connection


async def test_a_flusher_that_is_cancelled_leaves_no_caller_waiting(fresh_database_url: str):
    async with open_database(as_role(fresh_database_url, APP_ROLE)) as database:
        log = PostgresUsageLog(database.pool)
        async with stuck(fresh_database_url):
            before = asyncio.all_tasks()
            waiting = [asyncio.create_task(log.append(a_call(a_tenant_id(), PRICE))) for _ in range(2)]
            await asyncio.sleep(A_WHILE_S)
            (flusher,) = asyncio.all_tasks() - before - set(waiting)
            flusher.cancel()
            outcomes = await asyncio.gather(*waiting, return_exceptions=True)
            assert [type(outcome) for outcome in outcomes] == [UsageNotRecorded] * 2
        assert await log.append(a_call(a_tenant_id(), PRICE))
        await log.close()


@pytest.mark.parametrize("is_ours", [True, False])
async def test_an_event_is_new_although_the_answer_to_its_commit_was_lost(fresh_database_url: str, is_ours: bool):
    tenant_id = a_tenant_id()
    event = a_call(tenant_id, PRICE)
    there_already = event if is_ours else a_call(tenant_id, PRICE, idempotency_key=event.idempotency_key)
    async with open_database(as_role(fresh_database_url, APP_ROLE)) as database:
        log = PostgresUsageLog(database.pool)
        async with stuck(fresh_database_url) as connection:
            waiting = asyncio.create_task(log.append(event))
            await asyncio.sleep(A_WHILE_S)
            await end_connections(fresh_database_url)
            # What the first attempt, had it been further, would have committed; or somebody else did.
            await usage_batch.append(connection, [(there_already, ())], ANSWER_WITHIN_S)
        assert await waiting is is_ours
        await log.close()


async def end_connections(owner_url: str, database: str = "") -> None:
    """End the program's connections to a database, the URL's where none is named."""
    ours = f"datname = '{database or database_name(owner_url)}' and usename = '{APP_ROLE}'"
    await run_sql(owner_url, f"select pg_terminate_backend(pid) from pg_stat_activity where {ours}")
