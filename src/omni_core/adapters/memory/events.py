"""The event log in memory, and how far subscriptions are in it."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from itertools import islice
from uuid import UUID

import msgspec

from omni_core.adapters.memory.conditions import holds
from omni_core.adapters.memory.database import LogHead, MemoryDatabase, memory_tx
from omni_core.domain.events.errors import UnknownEvent
from omni_core.domain.events.model import Cursor, HeldEvent, HeldStatus
from omni_core.domain.events.ports import EventStorage
from omni_core.domain.kernel.conditions.api import Condition
from omni_core.domain.kernel.events import RecordedEvent
from omni_core.domain.kernel.pages import Page, PageRequest, page_of
from omni_core.domain.kernel.tenancy import TenantId
from omni_core.domain.kernel.uow import Transaction, UnitOfWork


class MemoryEventLog:
    """The port `EventLog`."""

    async def read(self, tx: Transaction, page: PageRequest, where: Condition | None = None) -> Page[RecordedEvent]:
        """Return the tenant's events, oldest first."""
        log, is_wanted = memory_tx(tx).look("event"), holds(where)
        seen = 0
        if page.after is not None:
            seen = log[page.after].position if page.after in log else await self.head(tx)
        later = (event for event in log.values() if event.position > seen and is_wanted(event))
        found = [await self.get(tx, event.id) for event in islice(later, page.limit + 1)]
        return page_of(found, page.limit, lambda event: event.id)

    async def get(self, tx: Transaction, event_id: UUID) -> RecordedEvent:
        """Return an event."""
        event = memory_tx(tx).get("event", event_id)
        if not isinstance(event, RecordedEvent):
            raise UnknownEvent(event_id=str(event_id))
        return event

    async def head(self, tx: Transaction) -> int:
        """Return the position of the last event."""
        head = memory_tx(tx).get("event_head", None)
        return head.position if isinstance(head, LogHead) else 0

    async def after(
        self, tx: Transaction, position: int, event_types: Collection[str], until: int, limit: int
    ) -> Sequence[RecordedEvent]:
        """Return events of these types, oldest first."""
        found = [event for event in _events(tx, event_types) if position < event.position <= until][:limit]
        return [await self.get(tx, event.id) for event in found]

    async def count_after(self, tx: Transaction, position: int, event_types: Collection[str], limit: int) -> int:
        """Count events of these types."""
        return min(sum(event.position > position for event in _events(tx, event_types)), limit)

    async def last_of(self, tx: Transaction, event_types: Collection[str]) -> Mapping[str, int]:
        """Return the position of the last event of each type."""
        return {event.event_type: event.position for event in _events(tx, event_types)}

    async def first_since(self, tx: Transaction, moment: datetime) -> int | None:
        """Return the position of the first event since `moment`."""
        events = memory_tx(tx).look("event").values()
        return next((event.position for event in events if event.recorded_at >= moment), None)


class MemoryCursors:
    """The port `Cursors`. A transaction holds everything of its tenant, so that none is ever held by another."""

    async def take(self, tx: Transaction, subscription: str, now: datetime) -> Cursor | None:
        """Return a cursor, a new one where there is none."""
        there = await self.lock(tx, subscription)
        if there is not None:
            return there
        cursor = Cursor(subscription=subscription, moved_at=now)
        await self.save(tx, cursor)
        return cursor

    async def lock(self, tx: Transaction, subscription: str) -> Cursor | None:
        """Return a cursor."""
        cursor = memory_tx(tx).get("event_cursor", subscription)
        return cursor if isinstance(cursor, Cursor) else None

    async def save(self, tx: Transaction, cursor: Cursor) -> None:
        """Store a cursor."""
        memory_tx(tx).put("event_cursor", cursor.subscription, cursor)

    async def list(self, tx: Transaction) -> Sequence[Cursor]:
        """Return all cursors, by name."""
        return sorted(memory_tx(tx).find("event_cursor"), key=lambda cursor: cursor.subscription)


class MemoryInbox:
    """The port `Inbox`."""

    async def claim(
        self, tx: Transaction, subscription: str, events: Collection[RecordedEvent], now: datetime
    ) -> AbstractSet[UUID]:
        """Note events, and return the ids of those that are new."""
        claimed = set()
        for event in events:
            if memory_tx(tx).get("event_inbox", (subscription, event.id)) is None:
                memory_tx(tx).put("event_inbox", (subscription, event.id), event.position)
                claimed.add(event.id)
        return claimed

    async def forget(self, tx: Transaction, subscription: str, position: int) -> None:
        """Forget what is after `position`."""
        for key, handled in list(memory_tx(tx).look("event_inbox").items()):
            if isinstance(key, tuple) and key[0] == subscription and handled > position:
                memory_tx(tx).delete("event_inbox", key)


class MemoryHeldEvents:
    """The port `HeldEvents`."""

    async def add(self, tx: Transaction, held: Collection[HeldEvent]) -> None:
        """Store newly held events."""
        for one in held:
            memory_tx(tx).put("event_held", (one.subscription, one.event_id), one)

    async def get(self, tx: Transaction, subscription: str, event_id: UUID) -> HeldEvent | None:
        """Return one."""
        held = memory_tx(tx).get("event_held", (subscription, event_id))
        return held if isinstance(held, HeldEvent) else None

    async def save(self, tx: Transaction, held: HeldEvent) -> None:
        """Store what has changed."""
        await self.add(tx, [held])

    async def remove(self, tx: Transaction, held: HeldEvent) -> None:
        """Forget one."""
        memory_tx(tx).delete("event_held", (held.subscription, held.event_id))

    async def forget(self, tx: Transaction, subscription: str, position: int) -> None:
        """Forget what is after `position`."""
        for held in _held(tx, subscription):
            if held.position > position:
                await self.remove(tx, held)

    async def due(self, tx: Transaction, subscription: str, now: datetime) -> HeldEvent | None:
        """Return the first that is due."""
        return next((held for held in _held(tx, subscription) if held.retry_at and held.retry_at <= now), None)

    async def next_behind(self, tx: Transaction, subscription: str, aggregate_id: UUID) -> HeldEvent | None:
        """Return the first that is behind."""
        behind = (held for held in _held(tx, subscription) if held.status is HeldStatus.BEHIND)
        return next((held for held in behind if held.aggregate_id == aggregate_id), None)

    async def blocked(self, tx: Transaction, subscription: str, aggregate_ids: Collection[UUID]) -> AbstractSet[UUID]:
        """Return aggregates of which something is held."""
        return {held.aggregate_id for held in _held(tx, subscription)} & set(aggregate_ids)

    async def retries(self, tx: Transaction) -> Mapping[str, datetime]:
        """Return the next retry of each subscription."""
        moments = [(held.retry_at, held.subscription) for held in _held(tx) if held.retry_at is not None]
        return {name: moment for moment, name in sorted(moments, reverse=True)}

    async def counts(self, tx: Transaction) -> Mapping[tuple[str, HeldStatus], int]:
        """Count what is held."""
        return Counter((held.subscription, held.status) for held in _held(tx))

    async def list(
        self, tx: Transaction, limit: int, before: UUID | None, subscription: str | None
    ) -> Sequence[HeldEvent]:
        """Return what is held, newest first."""
        return memory_tx(tx).newest(
            "event_held", limit, before, lambda held: subscription is None or held.subscription == subscription
        )


class MemoryWaking:
    """The port `Waking`."""

    def __init__(self, database: MemoryDatabase) -> None:
        self._database = database

    async def due(self, limit: int, at: datetime, after: TenantId | None) -> Sequence[TenantId]:
        """Return tenants that are due, by id."""
        return self._tenants(limit, after, lambda head: head.due_at is not None and head.due_at <= at)

    async def unsettled(self, crew: str, limit: int, after: TenantId | None) -> Sequence[TenantId]:
        """Return tenants that `crew` has not come to the end of, by id."""
        return self._tenants(limit, after, lambda head: crew not in head.settled_by)

    async def settle(self, tx: Transaction, crew: str, head: int, until: datetime | None) -> None:
        """Note that `crew` is done with a tenant."""
        there = memory_tx(tx).get("event_head", None)
        if isinstance(there, LogHead) and there.position == head:
            crews = (*there.settled_by, crew) if crew not in there.settled_by else there.settled_by
            memory_tx(tx).put("event_head", None, msgspec.structs.replace(there, due_at=until, settled_by=crews))

    def _tenants(self, limit: int, after: TenantId | None, wanted: Callable[[LogHead], bool]) -> Sequence[TenantId]:
        ids = sorted(head.tenant_id for head in self._database.committed("event_head") if wanted(head))
        return [tenant_id for tenant_id in ids if after is None or tenant_id > after][:limit]


def memory_event_storage(database: MemoryDatabase, uow: UnitOfWork | None = None) -> EventStorage:
    """Return everything that subscriptions run on, in memory; `uow` is the database's own, or what goes around it."""
    return EventStorage(
        uow=uow or database.begin,
        log=MemoryEventLog(),
        cursors=MemoryCursors(),
        inbox=MemoryInbox(),
        held=MemoryHeldEvents(),
        waking=MemoryWaking(database),
        clock=database.clock,
        ids=database.ids,
    )


def _events(tx: Transaction, event_types: Collection[str]) -> Iterator[RecordedEvent]:
    return (event for event in memory_tx(tx).look("event").values() if event.event_type in event_types)


def _held(tx: Transaction, subscription: str | None = None) -> list[HeldEvent]:
    held = memory_tx(tx).find("event_held", lambda held: subscription is None or held.subscription == subscription)
    return sorted(held, key=lambda held: held.position)
