"""Events, and reactions to them, over the wire."""

from datetime import datetime
from typing import Annotated, Any, ClassVar
from uuid import UUID

import msgspec
from msgspec import Meta

from omni_core.domain.events.api import HeldView, Replay, SubscriptionState
from omni_core.domain.kernel.events import RecordedEvent


class EventView(msgspec.Struct, frozen=True):
    """Something that happened; `data` is what its type has.

    Its position in the log is not told: positions count what happens in all tenants.
    """

    id: UUID
    event_type: str
    aggregate_id: UUID
    recorded_at: datetime
    data: dict[str, Any]

    @classmethod
    def of(cls, event: RecordedEvent) -> "EventView":
        """Return an event for the wire."""
        return cls(**{name: getattr(event, name) for name in cls.__struct_fields__})


class EventSubscriptionView(msgspec.Struct, frozen=True):
    """How a subscription stands in the tenant. `waiting` counts up to 10,000; the three after `handled` are held."""

    name: str
    is_known: bool
    event_types: list[str]
    position: int
    waiting: int
    handled: int
    retrying: int
    set_aside: int
    behind: int
    moved_at: datetime | None

    @classmethod
    def of(cls, state: SubscriptionState) -> "EventSubscriptionView":
        """Return a subscription's state for the wire."""
        facts = {name: getattr(state, name) for name in cls.__struct_fields__}
        return cls(**{**facts, "event_types": list(state.event_types)})


class HeldEventView(msgspec.Struct, frozen=True):
    """An event that a subscription could not handle yet: `code` and `detail` tell of its last attempt."""

    id: UUID
    subscription: str
    event_id: UUID
    event_type: str
    aggregate_id: UUID
    status: str
    attempts: int
    retry_at: datetime | None
    code: str | None
    detail: str | None
    held_at: datetime

    @classmethod
    def of(cls, held: HeldView) -> "HeldEventView":
        """Return a held event for the wire."""
        told = {"code": None, "detail": None} if held.failure is None else msgspec.structs.asdict(held.failure)
        facts = {name: getattr(held, name) for name in cls.__struct_fields__ if name not in told}
        return cls(**facts, **told)


class ReplaySubscription(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From where on everything is handled again: an event, or a moment; without either, the beginning."""

    more_schema: ClassVar[dict[str, Any]] = {
        "not": {
            "properties": {"event_id": {"type": "string"}, "moment": {"type": "string"}},
            "required": ["event_id", "moment"],
        }
    }

    event_id: UUID | None = None
    moment: Annotated[datetime, Meta(tz=True)] | None = None

    @property
    def since(self) -> Replay:
        """The point in the log."""
        return Replay(self.event_id, self.moment)
