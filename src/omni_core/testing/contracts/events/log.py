"""What every EventLog does."""

from datetime import timedelta
from typing import ClassVar
from uuid import UUID

import pytest

from omni_core.domain.events.errors import UnknownEvent
from omni_core.domain.events.ports import EventLog
from omni_core.domain.events.views import FIELDS
from omni_core.domain.kernel.conditions.api import read_condition
from omni_core.domain.kernel.events import Event
from omni_core.domain.kernel.pages import PageRequest, encode_cursor
from omni_core.domain.kernel.tenancy import TenantId
from omni_core.domain.kernel.uow import UnitOfWork
from omni_core.testing.builders.kernel import a_tenant_id
from omni_core.testing.clock import NOON, FixedClock
from omni_core.testing.contracts.kernel import Noted

LATER = NOON + timedelta(minutes=1)


class Other(Event, frozen=True):
    """Something else happened; for tests."""

    event_type: ClassVar[str] = "testing.other"
    aggregate: ClassVar[str] = "subject_id"
    subject_id: UUID


class EventLogContract:
    """Fixtures: `event_log`, a `uow` of the same technology, and the `clock` that the latter reads."""

    async def test_an_event_comes_back_in_json_types(
        self, uow: UnitOfWork, event_log: EventLog, clock: FixedClock
    ) -> None:
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

    async def test_a_condition_holds_for_what_is_read(self, uow: UnitOfWork, event_log: EventLog) -> None:
        tenant_id, subject_id = a_tenant_id(), a_tenant_id()
        async with uow(tenant_id) as tx:
            await tx.record(*(Noted(subject_id, number) for number in range(5)), Other(subject_id))
        asked = (
            f"event_type = testing.noted and data.number >= 1 and not data.number = 3 and aggregate_id = {subject_id}"
        )
        where = read_condition(asked, FIELDS)
        async with uow(tenant_id) as tx:
            first = await event_log.read(tx, PageRequest(limit=2), where)
            rest = await event_log.read(tx, PageRequest(2, first.next_cursor), where)
            later = await event_log.read(tx, PageRequest(), read_condition("recorded_at > 2100-01-01", FIELDS))
        assert [event.data["number"] for event in (*first.items, *rest.items)] == [1, 2, 4]
        assert (rest.next_cursor, later.items) == (None, ())

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

    async def test_positions_grow_in_the_order_of_the_log(self, uow: UnitOfWork, event_log: EventLog) -> None:
        tenant_id = a_tenant_id()
        async with uow(tenant_id) as tx:
            assert await event_log.head(tx) == 0
        await record(uow, tenant_id, *(Noted(tenant_id, number) for number in range(3)))
        await record(uow, tenant_id, Noted(tenant_id, 3))
        async with uow(tenant_id) as tx:
            events = (await event_log.read(tx, PageRequest())).items
            positions = [event.position for event in events]
            assert positions == sorted(set(positions))
            assert positions[0] > 0
            assert await event_log.head(tx) == positions[-1]

    async def test_one_event_is_found_by_its_id_by_its_tenant(self, uow: UnitOfWork, event_log: EventLog) -> None:
        tenant_id = a_tenant_id()
        await record(uow, tenant_id, Noted(tenant_id, 7))
        async with uow(tenant_id) as tx:
            (event,) = (await event_log.read(tx, PageRequest())).items
            assert await event_log.get(tx, event.id) == event
        async with uow(a_tenant_id()) as tx:
            with pytest.raises(UnknownEvent):
                await event_log.get(tx, event.id)

    async def test_events_of_some_types_are_found_after_a_position(self, uow: UnitOfWork, event_log: EventLog) -> None:
        tenant_id = a_tenant_id()
        both = (Noted.event_type, Other.event_type)
        await record(uow, tenant_id, Noted(tenant_id, 0), Other(tenant_id), Noted(tenant_id, 1), Noted(tenant_id, 2))
        async with uow(tenant_id) as tx:
            all_of_them = await event_log.after(tx, 0, both, await event_log.head(tx), 100)
            first, other, second, third = (event.position for event in all_of_them)
            assert [event.event_type for event in all_of_them] == [both[index] for index in (0, 1, 0, 0)]

            async def noted(after: int, until: int, limit: int) -> list[object]:
                return [event.data["number"] for event in await event_log.after(tx, after, [both[0]], until, limit)]

            assert await noted(0, third, 2) == [0, 1]
            assert await noted(first, third, 100) == [1, 2]
            assert await noted(other, second, 100) == [1]
            assert await noted(third, third, 100) == []
            assert [await event_log.count_after(tx, first, both, limit) for limit in (2, 100)] == [2, 3]
            assert await event_log.count_after(tx, 0, [], 100) == 0
            wanted = [*both, "testing.never"]
            assert await event_log.last_of(tx, wanted) == {both[0]: third, both[1]: other}

    async def test_the_first_event_since_a_moment_is_found(
        self, uow: UnitOfWork, event_log: EventLog, clock: FixedClock
    ) -> None:
        tenant_id = a_tenant_id()
        moments = []
        for number in range(3):
            moments.append(clock.advance(60))
            await record(uow, tenant_id, Noted(tenant_id, number))
        async with uow(tenant_id) as tx:
            positions = [event.position for event in (await event_log.read(tx, PageRequest())).items]
            assert [await event_log.first_since(tx, moment) for moment in moments] == positions
            assert await event_log.first_since(tx, moments[0] + timedelta(microseconds=1)) == positions[1]
            assert await event_log.first_since(tx, moments[2] + timedelta(microseconds=1)) is None


async def record(uow: UnitOfWork, tenant_id: TenantId, *events: Event) -> None:
    """Commit events."""
    async with uow(tenant_id) as tx:
        await tx.record(*events)


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
