"""What happened to the reactions to events. Recording one of these wakes the workers, as recording anything does."""

from typing import ClassVar
from uuid import UUID

from omni_core.domain.kernel.events import Event


class EventSetAside(Event, frozen=True):
    """A subscription failed for good at an event of the type `failed_type`, with the error `code`."""

    event_type: ClassVar[str] = "events.event_set_aside"
    aggregate: ClassVar[str] = "event_id"
    event_id: UUID
    failed_type: str
    subscription: str
    code: str


class HeldEventRetried(Event, frozen=True):
    """Somebody had a held event tried again."""

    event_type: ClassVar[str] = "events.held_event_retried"
    aggregate: ClassVar[str] = "event_id"
    event_id: UUID
    subscription: str
    by: str


class HeldEventSkipped(Event, frozen=True):
    """Somebody decided that a subscription will never handle an event that was held."""

    event_type: ClassVar[str] = "events.held_event_skipped"
    aggregate: ClassVar[str] = "event_id"
    event_id: UUID
    subscription: str
    by: str


class SubscriptionReplayed(Event, frozen=True):
    """Somebody had a subscription handle again whatever comes after `position`."""

    event_type: ClassVar[str] = "events.subscription_replayed"
    aggregate: ClassVar[str] = "tenant_id"
    tenant_id: UUID
    subscription: str
    position: int
    by: str
