"""What every EventLog, Cursors, Inbox, HeldEvents and Waking does. For what they do together see `reactions`."""

import asyncio
from datetime import datetime, timedelta
from typing import ClassVar
from uuid import UUID, uuid4

import pytest

from omni_core.domain.events.errors import UnknownEvent
from omni_core.domain.events.model import Cursor, HeldEvent, HeldStatus
from omni_core.domain.events.ports import EventLog, EventStorage
from omni_core.domain.kernel.events import Event
from omni_core.domain.kernel.failures import Failure
from omni_core.domain.kernel.pages import PageRequest, encode_cursor
from omni_core.domain.kernel.tenancy import TenantId
from omni_core.domain.kernel.uow import UnitOfWork
from omni_core.testing.builders.kernel import a_tenant_id
from omni_core.testing.clock import NOON, FixedClock
from omni_core.testing.contracts.kernel import Noted

NAME = "testing.subscription"
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


class CursorsContract:
    """Fixtures: `storage`, of any technology."""

    async def test_a_cursor_begins_at_nothing_and_comes_back_as_it_was_left(self, storage: EventStorage) -> None:
        tenant_id = a_tenant_id()
        async with storage.uow(tenant_id) as tx:
            assert await storage.cursors.lock(tx, NAME) is None
            cursor = await storage.cursors.take(tx, NAME, NOON)
            assert cursor == Cursor(subscription=NAME, position=0, handled=0, moved_at=NOON)
            cursor.move(7, 3, LATER)
            await storage.cursors.save(tx, cursor)
        async with storage.uow(tenant_id) as tx:
            assert await storage.cursors.take(tx, NAME, NOON) == cursor
            assert await storage.cursors.lock(tx, NAME) == cursor

    async def test_cursors_are_listed_by_name_and_tenant(self, storage: EventStorage) -> None:
        tenant_id = a_tenant_id()
        for name in ("testing.b", "testing.a"):
            async with storage.uow(tenant_id) as tx:
                await storage.cursors.take(tx, name, NOON)
        async with storage.uow(tenant_id) as tx:
            assert [cursor.subscription for cursor in await storage.cursors.list(tx)] == ["testing.a", "testing.b"]
        async with storage.uow(a_tenant_id()) as tx:
            assert await storage.cursors.list(tx) == []

    async def test_nobody_works_beside_who_holds_the_cursor(self, storage: EventStorage) -> None:
        tenant_id = a_tenant_id()
        at_work, most = 0, 0

        async def work() -> None:
            nonlocal at_work, most
            async with storage.uow(tenant_id) as tx:
                cursor = await storage.cursors.take(tx, NAME, NOON)
                if cursor is None:
                    return
                at_work += 1
                most = max(most, at_work)
                await asyncio.sleep(0.01)
                cursor.move(cursor.position + 1, 1, NOON)
                await storage.cursors.save(tx, cursor)
                at_work -= 1

        for _ in range(2):
            await asyncio.gather(*(work() for _ in range(4)))
        async with storage.uow(tenant_id) as tx:
            (cursor,) = await storage.cursors.list(tx)
        assert most == 1
        assert cursor.position == cursor.handled >= 2


class InboxContract:
    """Fixtures: `storage`, of any technology."""

    async def test_an_event_is_claimed_once_by_each_subscription(self, storage: EventStorage) -> None:
        tenant_id = a_tenant_id()
        await record(storage.uow, tenant_id, *(Noted(tenant_id, number) for number in range(3)))
        async with storage.uow(tenant_id) as tx:
            events = (await storage.log.read(tx, PageRequest())).items
            ids = [event.id for event in events]
            assert await storage.inbox.claim(tx, NAME, events[:2], NOON) == set(ids[:2])
        async with storage.uow(tenant_id) as tx:
            assert await storage.inbox.claim(tx, NAME, events[1:], NOON) == {ids[2]}
            assert await storage.inbox.claim(tx, NAME, events, NOON) == set()
            assert await storage.inbox.claim(tx, "testing.other", events, NOON) == set(ids)
            assert await storage.inbox.claim(tx, NAME, [], NOON) == set()
            await storage.inbox.forget(tx, NAME, events[0].position)
        async with storage.uow(tenant_id) as tx:
            assert await storage.inbox.claim(tx, NAME, events, NOON) == set(ids[1:])
            assert await storage.inbox.claim(tx, "testing.other", events, NOON) == set()


class HeldEventsContract:
    """Fixtures: `storage`, of any technology."""

    async def test_what_is_held_comes_back_as_it_was_left(self, storage: EventStorage) -> None:
        tenant_id, held = a_tenant_id(), a_held(3)
        async with storage.uow(tenant_id) as tx:
            await storage.held.add(tx, [held])
        async with storage.uow(tenant_id) as tx:
            assert await storage.held.get(tx, NAME, held.event_id) == held
            held.fail(Failure("testing.no", "No"), LATER)
            await storage.held.save(tx, held)
        async with storage.uow(tenant_id) as tx:
            assert await storage.held.get(tx, NAME, held.event_id) == held
            assert await storage.held.get(tx, "testing.other", held.event_id) is None
            await storage.held.remove(tx, held)
            assert await storage.held.get(tx, NAME, held.event_id) is None

    async def test_what_is_due_comes_in_the_order_of_the_log(self, storage: EventStorage) -> None:
        tenant_id, early, late, behind, aside = a_tenant_id(), a_held(1), a_held(2), a_held(3), a_held(4)
        early.fail(Failure("a", "b"), LATER)
        late.fail(Failure("a", "b"), NOON)
        aside.fail(Failure("a", "b"), None)
        async with storage.uow(tenant_id) as tx:
            await storage.held.add(tx, [early, late, behind, aside])
            assert await storage.held.due(tx, NAME, NOON - timedelta(seconds=1)) is None
            assert await storage.held.due(tx, NAME, NOON) == late
            assert await storage.held.due(tx, NAME, LATER) == early
            assert await storage.held.due(tx, "testing.other", LATER) is None
            assert await storage.held.retries(tx) == {NAME: NOON}
            assert await storage.held.counts(tx) == {
                (NAME, HeldStatus.RETRYING): 2,
                (NAME, HeldStatus.BEHIND): 1,
                (NAME, HeldStatus.SET_ASIDE): 1,
            }

    async def test_aggregates_are_held_by_themselves(self, storage: EventStorage) -> None:
        tenant_id, ours, theirs = a_tenant_id(), uuid4(), uuid4()
        first, second, third = a_held(3, ours), a_held(2, ours), a_held(1, theirs)
        async with storage.uow(tenant_id) as tx:
            await storage.held.add(tx, [first, second, third])
            assert await storage.held.next_behind(tx, NAME, ours) == second
            assert await storage.held.next_behind(tx, NAME, uuid4()) is None
            assert await storage.held.blocked(tx, NAME, [ours, uuid4()]) == {ours}
            await storage.held.forget(tx, NAME, 2)
            assert await storage.held.get(tx, NAME, first.event_id) is None
            assert await storage.held.blocked(tx, NAME, [ours, theirs]) == {ours, theirs}

    async def test_what_is_held_is_listed_from_the_newest_in_pages(self, storage: EventStorage) -> None:
        tenant_id = a_tenant_id()
        held = [a_held(position, name=name) for position in (1, 2) for name in (NAME, "testing.other")]
        async with storage.uow(tenant_id) as tx:
            await storage.held.add(tx, held)
        async with storage.uow(tenant_id) as tx:
            first = await storage.held.list(tx, 3, None, None)
            rest = await storage.held.list(tx, 3, first[-1].id, None)
            assert [*first, *rest] == held[::-1]
            assert await storage.held.list(tx, 3, None, NAME) == [held[2], held[0]]
        async with storage.uow(a_tenant_id()) as tx:
            assert await storage.held.list(tx, 3, None, None) == []


class WakingContract:
    """Fixtures: `storage`, of any technology."""

    async def test_a_tenant_is_due_from_its_first_event_until_it_is_settled(self, storage: EventStorage) -> None:
        tenant_id = a_tenant_id()
        async with storage.uow(tenant_id) as tx:
            await tx.record(Noted(tenant_id))
            assert not await is_due(storage, tenant_id, NOON)
        assert await is_due(storage, tenant_id, NOON)
        await settle(storage, tenant_id, None)
        assert not await is_due(storage, tenant_id, LATER)
        await record(storage.uow, tenant_id, Noted(tenant_id))
        assert await is_due(storage, tenant_id, NOON)

    async def test_what_is_recorded_meanwhile_keeps_a_tenant_due(self, storage: EventStorage) -> None:
        tenant_id = a_tenant_id()
        await record(storage.uow, tenant_id, Noted(tenant_id))
        async with storage.uow(tenant_id) as tx:
            seen = await storage.log.head(tx)
        await record(storage.uow, tenant_id, Noted(tenant_id))
        async with storage.uow(tenant_id) as tx:
            await storage.waking.settle(tx, "crew", seen, None)
        assert await is_due(storage, tenant_id, NOON)
        assert tenant_id in await unsettled(storage, tenant_id, "crew")

    async def test_a_tenant_is_due_again_at_its_moment(self, storage: EventStorage) -> None:
        tenant_id = a_tenant_id()
        await record(storage.uow, tenant_id, Noted(tenant_id))
        await settle(storage, tenant_id, LATER)
        assert not await is_due(storage, tenant_id, LATER - timedelta(microseconds=1))
        assert await is_due(storage, tenant_id, LATER)

    async def test_each_crew_comes_to_the_end_by_itself(self, storage: EventStorage) -> None:
        tenant_id = a_tenant_id()
        await record(storage.uow, tenant_id, Noted(tenant_id))
        for _ in range(2):
            await settle(storage, tenant_id, None, "old")
        assert await unsettled(storage, tenant_id, "old") == []
        assert await unsettled(storage, tenant_id, "new") == [tenant_id]
        await settle(storage, tenant_id, None, "new")
        assert [await unsettled(storage, tenant_id, crew) for crew in ("old", "new")] == [[], []]
        await record(storage.uow, tenant_id, Noted(tenant_id))
        assert [await unsettled(storage, tenant_id, crew) for crew in ("old", "new")] == [[tenant_id], [tenant_id]]

    async def test_tenants_are_told_by_id_in_pages(self, storage: EventStorage) -> None:
        tenants = [a_tenant_id() for _ in range(3)]
        for tenant_id in reversed(tenants):
            await record(storage.uow, tenant_id, Noted(tenant_id))
        before = TenantId(UUID(int=tenants[0].int - 1))
        told = [t for t in await storage.waking.due(500, NOON, before) if t in tenants]
        assert told == tenants
        assert len(await storage.waking.due(2, NOON, before)) == 2
        assert len(await storage.waking.unsettled("crew", 2, before)) == 2


def a_held(position: int, aggregate_id: UUID | None = None, *, name: str = NAME) -> HeldEvent:
    """Return an event that is behind another, with an id greater than that of the one before."""
    return HeldEvent(
        id=a_tenant_id(),
        subscription=name,
        event_id=uuid4(),
        event_type=Noted.event_type,
        aggregate_id=aggregate_id or uuid4(),
        position=position,
        held_at=NOON,
    )


async def record(uow: UnitOfWork, tenant_id: TenantId, *events: Event) -> None:
    """Commit events."""
    async with uow(tenant_id) as tx:
        await tx.record(*events)


async def is_due(storage: EventStorage, tenant_id: TenantId, at: datetime) -> bool:
    """Tell whether a tenant is due; others, of other tests, may be as well."""
    return tenant_id in await storage.waking.due(1, at, TenantId(UUID(int=tenant_id.int - 1)))


async def unsettled(storage: EventStorage, tenant_id: TenantId, crew: str) -> list[TenantId]:
    """Return the tenant, where `crew` has not come to the end of its log."""
    found = await storage.waking.unsettled(crew, 1, TenantId(UUID(int=tenant_id.int - 1)))
    return [one for one in found if one == tenant_id]


async def settle(storage: EventStorage, tenant_id: TenantId, until: datetime | None, crew: str = "crew") -> None:
    """Come to the end of a tenant's log."""
    async with storage.uow(tenant_id) as tx:
        await storage.waking.settle(tx, crew, await storage.log.head(tx), until)


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
