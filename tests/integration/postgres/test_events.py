"""A reader of the event log misses nothing, in whichever order transactions end and whoever writes it."""

import asyncio
from uuid import UUID, uuid4

import asyncpg
import pytest
import sqlalchemy as sa

from omni_core.adapters.postgres.connecting import DatabaseUnavailable
from omni_core.adapters.postgres.engine import Database
from omni_core.adapters.postgres.events import PostgresEventLog, postgres_event_storage
from omni_core.adapters.postgres.uow import connection_of
from omni_core.domain.events.api import Retries, Subscription, SubscriptionRunner, Visit
from omni_core.domain.kernel.events import RecordedEvent
from omni_core.domain.kernel.pages import PageRequest
from omni_core.domain.kernel.uow import Transaction
from omni_core.domain.tenancy.events import TenantReactivated, TenantWasSuspended
from omni_core.testing.builders.kernel import a_tenant_id
from omni_core.testing.builders.tenancy import a_tenant
from omni_core.testing.clock import NOON
from omni_core.testing.reactor import Bench, Happened
from tests.support.backends import Backend
from tests.support.database import connected
from tests.support.rows import in_tenant

pytestmark = pytest.mark.postgres


async def test_what_a_slow_transaction_recorded_first_comes_after_what_was_committed_before(postgres: Backend):
    tenant = a_tenant()
    recorded, finish = asyncio.Event(), asyncio.Event()

    async def slow() -> None:
        async with postgres.uow(tenant.id) as tx:
            await tx.record(TenantWasSuspended(tenant.id))
            recorded.set()
            await finish.wait()

    async def read(cursor: str | None) -> tuple[list[str], str | None]:
        async with postgres.uow(tenant.id) as tx:
            page = await postgres.make(PostgresEventLog).read(tx, PageRequest(1, cursor))
        return [event.event_type for event in page.items], page.next_cursor

    task = asyncio.create_task(slow())
    await recorded.wait()
    async with postgres.uow(tenant.id) as tx:
        await tx.record(TenantReactivated(tenant.id))
    assert await read(None) == ([TenantReactivated.event_type], None)
    finish.set()
    await task
    first, cursor = await read(None)
    assert first == [TenantReactivated.event_type]
    assert await read(cursor) == ([TenantWasSuspended.event_type], None)


async def record_by_hand(program: asyncpg.Connection, tenant_id: UUID, number: int) -> None:
    """Record events as the release before subscriptions did: one statement each."""
    statement = (
        "insert into event (tenant_id, id, event_type, aggregate_id, recorded_at, data) "
        "values ($1, $2, 'testing.old', $1, now(), '{}')"
    )
    async with program.transaction():
        await in_tenant(program, tenant_id)
        await program.executemany(statement, [(tenant_id, uuid4()) for _ in range(number)])


async def test_what_an_older_release_records_is_noticed(postgres: Backend, app_url: str):
    tenant_id = a_tenant_id()
    async with connected(app_url) as program:
        await record_by_hand(program, tenant_id, 3)
        async with program.transaction():
            await in_tenant(program, tenant_id)
            head = await program.fetchrow("select position, due_at <= now() as is_due, settled_by from event_head")
            last = await program.fetchval("select max(seq) from event")
    assert head is not None
    assert tuple(head) == (last, True, [])


async def test_a_big_transaction_keeps_the_order_of_its_events(postgres: Backend):
    tenant_id = a_tenant_id()
    async with postgres.uow(tenant_id) as tx:
        await tx.record(*(Happened(tenant_id, number) for number in range(5_000)))
    log = postgres.make(PostgresEventLog)
    async with postgres.uow(tenant_id) as tx:
        events = await log.after(tx, 0, [Happened.event_type], await log.head(tx), 9_999)
    assert [event.data["number"] for event in events] == list(range(5_000))
    assert events[0].recorded_at == NOON


async def test_a_connection_that_breaks_under_a_handler_is_nobodys_attempt(postgres: Backend, database: Database):
    storage = postgres_event_storage(postgres.uow, database.pool, postgres.clock, postgres.ids)
    bench, calls = Bench(storage), 0

    async def handle(tx: Transaction, event: RecordedEvent) -> None:
        nonlocal calls
        calls += 1
        if calls == 1:
            await connection_of(tx).execute(sa.text("select pg_terminate_backend(pg_backend_pid())"))

    await bench.happen(0)
    subscription = Subscription("testing.cut_off", frozenset({Happened.event_type}), handle)
    runner = SubscriptionRunner(storage, [subscription], Retries(lambda _: False))
    visit = await runner.run(bench.tenant_id)
    assert isinstance(visit.error, DatabaseUnavailable)
    assert visit.setbacks == ()
    assert await runner.run(bench.tenant_id) == Visit(bench.tenant_id, handled=1, is_caught_up=True)
