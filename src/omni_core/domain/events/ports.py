"""What events need from outside."""

from collections.abc import Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from omni_core.domain.events.model import Cursor, HeldEvent, HeldStatus
from omni_core.domain.kernel.clock import Clock
from omni_core.domain.kernel.conditions.api import Condition
from omni_core.domain.kernel.events import RecordedEvent
from omni_core.domain.kernel.ids import Ids
from omni_core.domain.kernel.pages import Page, PageRequest
from omni_core.domain.kernel.tenancy import TenantId
from omni_core.domain.kernel.uow import Transaction, UnitOfWork


class EventLog(Protocol):
    """Reads what was recorded of the transaction's tenant, in the order in which it was committed."""

    async def read(self, tx: Transaction, page: PageRequest, where: Condition | None = None) -> Page[RecordedEvent]:
        """Return the tenant's events, oldest first; those alone for which `where` holds."""
        ...

    async def get(self, tx: Transaction, event_id: UUID) -> RecordedEvent:
        """Return an event; raise `UnknownEvent`."""
        ...

    async def head(self, tx: Transaction) -> int:
        """Return the position of the last event, 0 where there is none."""
        ...

    async def after(
        self, tx: Transaction, position: int, event_types: Collection[str], until: int, limit: int
    ) -> Sequence[RecordedEvent]:
        """Return the first `limit` events of these types after `position`, up to `until`, oldest first."""
        ...

    async def count_after(self, tx: Transaction, position: int, event_types: Collection[str], limit: int) -> int:
        """Return how many events of these types are after `position`, counting no further than `limit`."""
        ...

    async def last_of(self, tx: Transaction, event_types: Collection[str]) -> Mapping[str, int]:
        """Return the position of the last event of each of these types that has one."""
        ...

    async def first_since(self, tx: Transaction, moment: datetime) -> int | None:
        """Return the position of the first event that was recorded at `moment` or later."""
        ...


class Cursors(Protocol):
    """How far each subscription is in the log of the transaction's tenant. Whoever holds one works alone."""

    async def take(self, tx: Transaction, subscription: str, now: datetime) -> Cursor | None:
        """Hold a cursor, a new one at position 0 where there is none; None where somebody else holds it."""
        ...

    async def lock(self, tx: Transaction, subscription: str) -> Cursor | None:
        """Wait until nobody else holds a cursor, and hold it; None where the subscription never had an event here."""
        ...

    async def save(self, tx: Transaction, cursor: Cursor) -> None:
        """Store what has changed of a cursor that is held."""
        ...

    async def list(self, tx: Transaction) -> Sequence[Cursor]:
        """Return all that are on record, by name, also those of other releases."""
        ...


class Inbox(Protocol):
    """Which events a subscription has handled."""

    async def claim(
        self, tx: Transaction, subscription: str, events: Collection[RecordedEvent], now: datetime
    ) -> AbstractSet[UUID]:
        """Note that this transaction handles these events; return the ids of those that none has handled before."""
        ...

    async def forget(self, tx: Transaction, subscription: str, position: int) -> None:
        """Let everything after `position` be handled again."""
        ...


class HeldEvents(Protocol):
    """What subscriptions could not handle yet. Change it only while holding the subscription's cursor."""

    async def add(self, tx: Transaction, held: Collection[HeldEvent]) -> None:
        """Store newly held events."""
        ...

    async def get(self, tx: Transaction, subscription: str, event_id: UUID) -> HeldEvent | None:
        """Return one, if the event is held."""
        ...

    async def save(self, tx: Transaction, held: HeldEvent) -> None:
        """Store what has changed of one."""
        ...

    async def remove(self, tx: Transaction, held: HeldEvent) -> None:
        """Forget one."""
        ...

    async def forget(self, tx: Transaction, subscription: str, position: int) -> None:
        """Forget everything after `position`."""
        ...

    async def due(self, tx: Transaction, subscription: str, now: datetime) -> HeldEvent | None:
        """Return the earliest in the log of those that should be tried again by now."""
        ...

    async def next_behind(self, tx: Transaction, subscription: str, aggregate_id: UUID) -> HeldEvent | None:
        """Return the earliest that is behind another of its aggregate."""
        ...

    async def blocked(self, tx: Transaction, subscription: str, aggregate_ids: Collection[UUID]) -> AbstractSet[UUID]:
        """Return those of these aggregates of which an event is held."""
        ...

    async def retries(self, tx: Transaction) -> Mapping[str, datetime]:
        """Return when each subscription that retries something should next try, those of other releases included."""
        ...

    async def counts(self, tx: Transaction) -> Mapping[tuple[str, HeldStatus], int]:
        """Return how many are held, by subscription and status."""
        ...

    async def list(
        self, tx: Transaction, limit: int, before: UUID | None, subscription: str | None
    ) -> Sequence[HeldEvent]:
        """Return up to `limit` with an id before `before`, newest first; of one subscription, where it is given."""
        ...


class Waking(Protocol):
    """Which tenants a worker should visit. Recording an event makes its tenant due, in the same commit."""

    async def due(self, limit: int, at: datetime, after: TenantId | None) -> Sequence[TenantId]:
        """Return up to `limit` tenants that are due at `at`, by id, from after `after`; in no transaction."""
        ...

    async def unsettled(self, crew: str, limit: int, after: TenantId | None) -> Sequence[TenantId]:
        """Return up to `limit` tenants the end of whose log `crew` has not come to, likewise."""
        ...

    async def settle(self, tx: Transaction, crew: str, head: int, until: datetime | None) -> None:
        """Note that `crew` is done with the transaction's tenant up to `head`; it is due again at `until`, if at all.

        Nothing happens where the log has grown beyond `head` meanwhile.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class EventStorage:
    """Everything that subscriptions run on, of one technology."""

    uow: UnitOfWork
    log: EventLog
    cursors: Cursors
    inbox: Inbox
    held: HeldEvents
    waking: Waking
    clock: Clock
    ids: Ids
