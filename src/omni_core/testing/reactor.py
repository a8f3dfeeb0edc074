"""A subscription for tests: what it does shows in the log, and it fails where it is told to."""

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar, TypeVar
from uuid import UUID

from omni_core.domain.events.api import (
    Events,
    EventStorage,
    Retries,
    Subscription,
    SubscriptionRunner,
    SubscriptionState,
    Visit,
)
from omni_core.domain.kernel.errors import OmniError
from omni_core.domain.kernel.events import Event, RecordedEvent
from omni_core.domain.kernel.pages import PageRequest
from omni_core.domain.kernel.tenancy import Principal, TenantId
from omni_core.domain.kernel.uow import Transaction
from omni_core.testing.builders.kernel import a_tenant_id

E = TypeVar("E", bound=Event)


class Happened(Event, frozen=True):
    """Something happened; for tests."""

    event_type: ClassVar[str] = "testing.happened"
    aggregate: ClassVar[str] = "subject_id"
    subject_id: UUID
    number: int


class Reacted(Event, frozen=True):
    """A subscription handled the event with this number; for tests."""

    event_type: ClassVar[str] = "testing.reacted"
    aggregate: ClassVar[str] = "subject_id"
    subject_id: UUID
    number: int | None
    by: str


class Reactor:
    """Records `Reacted` for each event; then raises what `failing` has for its number (None where it has none).

    What it recorded itself it passes over.
    """

    def __init__(self, name: str = "testing.first", to: type[Event] = Happened, since: datetime | None = None) -> None:
        self.name = name
        self.subscription = Subscription(name, frozenset({to.event_type}), self._handle, since)
        self.failing: dict[int | None, Exception] = {}
        self.calls: list[int | None] = []
        self.recent: list[int | None] = []

    async def _handle(self, tx: Transaction, event: RecordedEvent) -> None:
        if event.data.get("by") == self.name:
            return
        number = event.data.get("number")
        known = number if isinstance(number, int) else None
        self.calls.append(known)
        self.recent.append(known)
        await tx.record(Reacted(event.aggregate_id, known, self.name))
        if known in self.failing:
            raise self.failing[known]


class Bench:
    """A tenant, what happens in it, and what came of that."""

    def __init__(self, storage: EventStorage) -> None:
        self.storage = storage
        self.tenant_id = a_tenant_id()
        self.operator = Principal.operator(self.tenant_id)

    async def happen(self, *numbers: int, subject: UUID | None = None) -> Sequence[RecordedEvent]:
        """Record events in one transaction, each of another aggregate unless one is given; return them."""
        async with self.storage.uow(self.tenant_id) as tx:
            await tx.record(*(Happened(subject or a_tenant_id(), number) for number in numbers))
        happened = [event for event in await self.events() if event.event_type == Happened.event_type]
        return happened[-len(numbers) :]

    def runner(self, *reactors: Reactor, batch: int = 100) -> SubscriptionRunner:
        """Return what runs these subscriptions."""
        subscriptions = [reactor.subscription for reactor in reactors]
        return SubscriptionRunner(self.storage, subscriptions, Retries(worth_retrying), batch=batch)

    async def run(self, *reactors: Reactor) -> Visit:
        """Let these subscriptions handle what they have not."""
        return await self.runner(*reactors).run(self.tenant_id)

    def service(self, *reactors: Reactor) -> Events:
        """Return the use cases of a release with these subscriptions."""
        return Events(self.storage, [reactor.subscription for reactor in reactors])

    async def state(self, reactor: Reactor) -> SubscriptionState:
        """Return how a subscription stands."""
        states = await self.service(reactor).subscriptions(self.operator)
        return next(state for state in states if state.name == reactor.name)

    async def events(self) -> Sequence[RecordedEvent]:
        """Return the tenant's log."""
        async with self.storage.uow(self.tenant_id) as tx:
            return (await self.storage.log.read(tx, PageRequest(limit=500))).items

    async def told(self, kind: type[E]) -> list[E]:
        """Return what was recorded of one type."""
        return [event.to(kind) for event in await self.events() if event.event_type == kind.event_type]

    async def effects(self, reactor: Reactor) -> list[int | None]:
        """Return the numbers of what a subscription has handled for good."""
        return [reacted.number for reacted in await self.told(Reacted) if reacted.by == reactor.name]

    async def is_due(self, at: datetime) -> bool:
        """Tell whether a worker should visit the tenant."""
        before = TenantId(UUID(int=self.tenant_id.int - 1))
        return self.tenant_id in await self.storage.waking.due(1, at, before)


def worth_retrying(error: Exception) -> bool:
    """Tell whether another attempt could go better: not where Omni itself said no."""
    return not isinstance(error, OmniError) or error.retryable
