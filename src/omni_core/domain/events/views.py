"""What is shown of subscriptions, and the point from which one is replayed."""

from datetime import datetime
from uuid import UUID

import msgspec

from omni_core.domain.events.model import HeldStatus
from omni_core.domain.kernel.conditions.api import FieldKind, Fields
from omni_core.domain.kernel.failures import Failure

FIELDS = Fields(
    {
        "event_type": FieldKind.TEXT,
        "aggregate_id": FieldKind.ID,
        "recorded_at": FieldKind.MOMENT,
        "data": FieldKind.JSON,
    }
)
"""What the log can be filtered by; of `data` each member, such as `data.month`."""

# Nobody needs to know how much more than this is waiting.
MOST_COUNTED = 10_000


class SubscriptionState(msgspec.Struct, frozen=True):
    """How a subscription stands in a tenant.

    `waiting` are the events after `position` that it wants, counted up to 10,000. `retrying`, `set_aside` and `behind`
    are held. One that this release does not know has no `event_types`, and nothing is known of what it waits for.
    """

    name: str
    is_known: bool
    event_types: tuple[str, ...]
    position: int
    waiting: int
    handled: int
    retrying: int
    set_aside: int
    behind: int
    moved_at: datetime | None


class HeldView(msgspec.Struct, frozen=True):
    """An event that a subscription could not handle yet, and why."""

    id: UUID
    subscription: str
    event_id: UUID
    event_type: str
    aggregate_id: UUID
    status: HeldStatus
    attempts: int
    retry_at: datetime | None
    failure: Failure | None
    held_at: datetime


class Replay(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From where on a subscription handles everything again: from an event, from a moment, or from the beginning.

    At most one of the two may be given; without either it is the beginning.
    """

    event_id: UUID | None = None
    moment: datetime | None = None
