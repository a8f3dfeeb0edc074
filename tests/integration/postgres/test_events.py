"""A reader of the event log who pages on misses nothing, in whichever order transactions end."""

import asyncio

import pytest

from omni_core.adapters.postgres.events import PostgresEventLog
from omni_core.domain.kernel.pages import PageRequest
from omni_core.domain.tenancy.events import TenantReactivated, TenantWasSuspended
from omni_core.testing.builders.tenancy import a_tenant
from tests.support.backends import Backend

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
