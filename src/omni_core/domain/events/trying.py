"""How often a subscription is tried at an event, and what it says of a failure."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from omni_core.domain.kernel.backoff import Backoff
from omni_core.domain.kernel.failures import Failure
from omni_core.domain.kernel.tenancy import TenantId

# 1, 4, 16 and 60 seconds: whoever waits behind the event should not wait for long.
_PAUSES = Backoff(timedelta(seconds=1), 4, timedelta(minutes=1))


@dataclass(frozen=True, slots=True)
class Retries:
    """An event has up to `attempts`, with `backoff` between them, while `worth_retrying` says that it may go better."""

    worth_retrying: Callable[[Exception], bool]
    attempts: int = 5
    backoff: Backoff = _PAUSES

    def after(self, error: Exception, attempt: int, now: datetime) -> datetime | None:
        """Return when to try again after the failure of `attempt`, counted from 1; None where it was the last."""
        if attempt >= self.attempts or not self.worth_retrying(error):
            return None
        return now + self.backoff.after(attempt)


class Setback(msgspec.Struct, frozen=True):
    """A subscription failed at an event, which is held now. `cause` is for the log, not for tenants."""

    tenant_id: TenantId
    subscription: str
    event_id: UUID
    event_type: str
    attempt: int
    is_set_aside: bool
    failure: Failure
    cause: Exception


class Visit(msgspec.Struct, frozen=True):
    """What a visit of one tenant came to. `error` is what ended it, if anything did; nothing is lost by that.

    It is caught up when nothing was left to do but to wait for the moment of a retry.
    """

    tenant_id: TenantId
    handled: int = 0
    setbacks: tuple[Setback, ...] = ()
    is_caught_up: bool = False
    error: Exception | None = None

    @property
    def should_go_on(self) -> bool:
        """Whether another visit would find work at once: what others hold just now is theirs."""
        return not self.is_caught_up and self.error is None and bool(self.handled or self.setbacks)
