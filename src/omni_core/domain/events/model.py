"""How far a subscription is in a tenant's log, and what it had to leave behind."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from omni_core.domain.events.errors import HeldBehind
from omni_core.domain.kernel.events import RecordedEvent
from omni_core.domain.kernel.failures import Failure


@dataclass(slots=True, kw_only=True)
class Cursor:
    """How far a subscription is: everything up to `position` was handled, held, or none of its business.

    `handled` counts the events that its handler went through with, those of a replay included.
    """

    subscription: str
    position: int = 0
    handled: int = 0
    moved_at: datetime

    def move(self, position: int, handled: int, now: datetime) -> None:
        """Note that `handled` more events were handled, and nothing is left up to `position`."""
        self.position = position
        self.handled += handled
        self.moved_at = now

    def set_back(self, position: int, now: datetime) -> None:
        """Go back to just after `position`; where that is not yet reached, stay."""
        if position < self.position:
            self.position = position
            self.moved_at = now


class HeldStatus(StrEnum):
    """Why an event is held: it will be tried again, will not, or waits for an earlier one of its aggregate."""

    RETRYING = "retrying"
    SET_ASIDE = "set_aside"
    BEHIND = "behind"


@dataclass(slots=True, kw_only=True)
class HeldEvent:
    """An event that the cursor has passed without its being handled. Of each aggregate all but the first are behind.

    `attempts` counts from when it was held or last retried by somebody. `retry_at` is there while it is retrying;
    `failure` tells of the last attempt.
    """

    id: UUID
    subscription: str
    event_id: UUID
    event_type: str
    aggregate_id: UUID
    position: int
    held_at: datetime
    status: HeldStatus = HeldStatus.BEHIND
    attempts: int = 0
    retry_at: datetime | None = None
    failure: Failure | None = None

    @classmethod
    def of(cls, event: RecordedEvent, subscription: str, held_id: UUID, now: datetime) -> "HeldEvent":
        """Return an event that waits behind another; `fail` makes it the one that the others wait for."""
        return cls(
            id=held_id,
            subscription=subscription,
            event_id=event.id,
            event_type=event.event_type,
            aggregate_id=event.aggregate_id,
            position=event.position,
            held_at=now,
        )

    def fail(self, failure: Failure, retry_at: datetime | None) -> None:
        """Note a failed attempt. Another one follows at `retry_at`; without it the event is set aside."""
        self.status = HeldStatus.SET_ASIDE if retry_at is None else HeldStatus.RETRYING
        self.attempts += 1
        self.retry_at = retry_at
        self.failure = failure

    def come_first(self, now: datetime) -> None:
        """Be tried at once: nothing of the aggregate is in front any more."""
        self.status = HeldStatus.RETRYING
        self.attempts = 0
        self.retry_at = now

    def try_again(self, now: datetime) -> None:
        """Be tried at once, with all its attempts; raise `HeldBehind` where it waits for another."""
        if self.status is HeldStatus.BEHIND:
            raise HeldBehind(event_id=str(self.event_id), subscription=self.subscription)
        self.come_first(now)
