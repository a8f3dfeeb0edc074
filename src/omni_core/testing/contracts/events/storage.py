"""What every Cursors, Inbox, HeldEvents and Waking does. For what they do together see `reactions`."""

import asyncio
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from omni_core.domain.events.model import Cursor, HeldEvent, HeldStatus
from omni_core.domain.events.ports import EventStorage
from omni_core.domain.kernel.failures import Failure
from omni_core.domain.kernel.pages import PageRequest
from omni_core.domain.kernel.tenancy import TenantId
from omni_core.testing.builders.kernel import a_tenant_id
from omni_core.testing.clock import NOON
from omni_core.testing.contracts.events.log import record
from omni_core.testing.contracts.kernel import Noted

NAME = "testing.subscription"
LATER = NOON + timedelta(minutes=1)


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
