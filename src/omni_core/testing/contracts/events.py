"""What every EventLog does."""

from omni_core.domain.kernel.clock import Clock
from omni_core.domain.kernel.pages import PageRequest, encode_cursor
from omni_core.domain.kernel.tenancy import TenantId
from omni_core.domain.kernel.uow import EventLog, UnitOfWork
from omni_core.testing.builders.kernel import a_tenant_id
from omni_core.testing.contracts.kernel import Noted


class EventLogContract:
    """Fixtures: `event_log`, a `uow` of the same technology, and the `clock` that the latter reads."""

    async def test_an_event_comes_back_in_json_types(self, uow: UnitOfWork, event_log: EventLog, clock: Clock) -> None:
        tenant_id, subject_id = a_tenant_id(), a_tenant_id()
        async with uow(tenant_id) as tx:
            await tx.record(Noted(subject_id, 7, ("a", "b")))
        async with uow(tenant_id) as tx:
            (event,) = (await event_log.read(tx, PageRequest())).items
        assert event.tenant_id == tenant_id
        assert event.event_type == "testing.noted"
        assert event.aggregate_id == subject_id
        assert event.recorded_at == clock.now()
        assert event.data == {"subject_id": str(subject_id), "number": 7, "words": ["a", "b"]}

    async def test_events_stand_in_the_order_in_which_they_were_recorded(
        self, uow: UnitOfWork, event_log: EventLog
    ) -> None:
        tenant_id = a_tenant_id()
        async with uow(tenant_id) as tx:
            await tx.record(*(Noted(tenant_id, number) for number in range(3)))
            await tx.record(Noted(tenant_id, 3))
        async with uow(tenant_id) as tx:
            await tx.record(Noted(tenant_id, 4))
        assert await read_in_pages(uow, event_log, tenant_id, limit=100) == [[0, 1, 2, 3, 4]]

    async def test_pages_neither_skip_nor_repeat(self, uow: UnitOfWork, event_log: EventLog) -> None:
        tenant_id = a_tenant_id()
        async with uow(tenant_id) as tx:
            await tx.record(*(Noted(tenant_id, number) for number in range(5)))
        assert await read_in_pages(uow, event_log, tenant_id, limit=2) == [[0, 1], [2, 3], [4]]

    async def test_the_last_full_page_has_no_successor(self, uow: UnitOfWork, event_log: EventLog) -> None:
        tenant_id = a_tenant_id()
        async with uow(tenant_id) as tx:
            await tx.record(*(Noted(tenant_id, number) for number in range(4)))
        assert await read_in_pages(uow, event_log, tenant_id, limit=2) == [[0, 1], [2, 3]]

    async def test_a_tenant_reads_its_own_events_only(self, uow: UnitOfWork, event_log: EventLog) -> None:
        ours, theirs = a_tenant_id(), a_tenant_id()
        for number, tenant_id in enumerate((ours, theirs)):
            async with uow(tenant_id) as tx:
                await tx.record(Noted(tenant_id, number))
        assert await read_in_pages(uow, event_log, theirs, limit=100) == [[1]]

    async def test_a_cursor_from_elsewhere_leads_nowhere(self, uow: UnitOfWork, event_log: EventLog) -> None:
        ours, theirs = a_tenant_id(), a_tenant_id()
        for tenant_id in (ours, theirs):
            async with uow(tenant_id) as tx:
                await tx.record(Noted(tenant_id))
        async with uow(theirs) as tx:
            (stolen,) = (await event_log.read(tx, PageRequest())).items
        async with uow(ours) as tx:
            page = await event_log.read(tx, PageRequest(cursor=encode_cursor(stolen.id)))
        assert page.items == ()
        assert page.next_cursor is None


async def read_in_pages(uow: UnitOfWork, event_log: EventLog, tenant_id: TenantId, limit: int) -> list[list[object]]:
    """Return the numbers of what the tenant noted, page by page."""
    pages: list[list[object]] = []
    request = PageRequest(limit)
    while True:
        async with uow(tenant_id) as tx:
            page = await event_log.read(tx, request)
        pages.append([event.data["number"] for event in page.items])
        if page.next_cursor is None:
            return pages
        request = PageRequest(limit, page.next_cursor)
