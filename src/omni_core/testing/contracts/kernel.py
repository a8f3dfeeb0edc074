"""What every UnitOfWork does: all or nothing, one tenant at a time, and no update is lost."""

import asyncio
from typing import ClassVar
from uuid import UUID

import pytest

from omni_core.domain.events.ports import EventLog
from omni_core.domain.kernel.events import Event
from omni_core.domain.kernel.pages import PageRequest
from omni_core.domain.kernel.tenancy import TenantId
from omni_core.domain.kernel.uow import Transaction, UnitOfWork
from omni_core.domain.tenancy.ports import TenantStore
from omni_core.testing.builders.kernel import a_tenant_id
from omni_core.testing.builders.tenancy import a_tenant

PATIENCE_S = 10.0


class Noted(Event, frozen=True):
    """Something was noted; for tests."""

    event_type: ClassVar[str] = "testing.noted"
    aggregate: ClassVar[str] = "subject_id"
    subject_id: UUID
    number: int = 0
    words: tuple[str, ...] = ()


class UnitOfWorkContract:
    """Fixtures: `uow`, and of the same technology `event_log` and `tenant_store`."""

    async def test_what_was_done_is_there_after_the_block(self, uow: UnitOfWork, event_log: EventLog) -> None:
        tenant_id = a_tenant_id()
        async with uow(tenant_id) as tx:
            assert tx.tenant_id == tenant_id
            await tx.record(Noted(tenant_id))
        assert await numbers(uow, event_log, tenant_id) == [0]

    async def test_recording_nothing_records_nothing(self, uow: UnitOfWork, event_log: EventLog) -> None:
        tenant_id = a_tenant_id()
        async with uow(tenant_id) as tx:
            await tx.record()
        assert await numbers(uow, event_log, tenant_id) == []

    @pytest.mark.parametrize("error", [ValueError("no"), KeyError("no"), OSError("no"), TimeoutError("no")], ids=repr)
    async def test_an_exception_undoes_everything_and_arrives_as_it_was(
        self, uow: UnitOfWork, event_log: EventLog, tenant_store: TenantStore, error: Exception
    ) -> None:
        tenant = a_tenant(name="Before")
        async with uow(tenant.id) as tx:
            await tenant_store.add(tx, tenant)

        async def fail() -> None:
            async with uow(tenant.id) as tx:
                await rename(tenant_store, tx, " and after")
                await tx.record(Noted(tenant.id))
                raise error

        with pytest.raises(type(error)) as raised:
            await fail()
        assert raised.value is error
        assert await name_of(uow, tenant_store, tenant.id) == "Before"
        assert await numbers(uow, event_log, tenant.id) == []

    async def test_cancellation_undoes_everything_and_frees_the_rows(
        self, uow: UnitOfWork, event_log: EventLog, tenant_store: TenantStore
    ) -> None:
        tenant = a_tenant(name="Before")
        async with uow(tenant.id) as tx:
            await tenant_store.add(tx, tenant)
        inside = asyncio.Event()

        async def rename_and_linger() -> None:
            async with uow(tenant.id) as tx:
                await rename(tenant_store, tx, " and after")
                await tx.record(Noted(tenant.id))
                inside.set()
                await asyncio.Event().wait()

        lingering = asyncio.create_task(rename_and_linger())
        async with asyncio.timeout(PATIENCE_S):
            await inside.wait()
            lingering.cancel()
            with pytest.raises(asyncio.CancelledError):
                await lingering
            await rename_alone(uow, tenant_store, tenant.id, "!")
        assert await name_of(uow, tenant_store, tenant.id) == "Before!"
        assert await numbers(uow, event_log, tenant.id) == []

    async def test_who_is_cancelled_while_waiting_for_a_row_harms_nobody(
        self, uow: UnitOfWork, tenant_store: TenantStore
    ) -> None:
        tenant = a_tenant(name="-")
        async with uow(tenant.id) as tx:
            await tenant_store.add(tx, tenant)
        async with asyncio.timeout(PATIENCE_S):
            async with uow(tenant.id) as tx:
                await rename(tenant_store, tx, "a")
                waiting = asyncio.create_task(rename_alone(uow, tenant_store, tenant.id, "b"))
                await asyncio.sleep(0.05)
                waiting.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await waiting
            await rename_alone(uow, tenant_store, tenant.id, "c")
        assert await name_of(uow, tenant_store, tenant.id) == "-ac"

    async def test_no_update_of_a_locked_row_is_lost(self, uow: UnitOfWork, tenant_store: TenantStore) -> None:
        tenant = a_tenant(name="-")
        async with uow(tenant.id) as tx:
            await tenant_store.add(tx, tenant)
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.gather(*(rename_alone(uow, tenant_store, tenant.id, "x") for _ in range(20)))
        assert await name_of(uow, tenant_store, tenant.id) == "-" + "x" * 20

    async def test_tenants_do_not_wait_for_each_other(self, uow: UnitOfWork, event_log: EventLog) -> None:
        ours, theirs = a_tenant_id(), a_tenant_id()
        async with asyncio.timeout(PATIENCE_S), uow(ours) as outer:
            await outer.record(Noted(ours, 1))
            async with uow(theirs) as inner:
                await inner.record(Noted(theirs, 2))
            assert await numbers(uow, event_log, theirs) == [2]
        assert await numbers(uow, event_log, ours) == [1]


async def numbers(uow: UnitOfWork, event_log: EventLog, tenant_id: TenantId) -> list[object]:
    """Return the numbers of what the tenant noted, in the order of its log."""
    async with uow(tenant_id) as tx:
        page = await event_log.read(tx, PageRequest(limit=500))
    return [event.data["number"] for event in page.items]


async def name_of(uow: UnitOfWork, tenant_store: TenantStore, tenant_id: TenantId) -> str:
    """Return the tenant's name as it is committed."""
    async with uow(tenant_id) as tx:
        return (await tenant_store.get(tx)).name


async def rename(tenant_store: TenantStore, tx: Transaction, suffix: str) -> None:
    """Append to the tenant's name: what is read decides what is written, so a lost update shows."""
    tenant = await tenant_store.lock(tx)
    await asyncio.sleep(0)
    tenant.name += suffix
    await tenant_store.save(tx, tenant)


async def rename_alone(uow: UnitOfWork, tenant_store: TenantStore, tenant_id: TenantId, suffix: str) -> None:
    """Append to the tenant's name in a transaction of its own."""
    async with uow(tenant_id) as tx:
        await rename(tenant_store, tx, suffix)
