"""What a subscription is: which events it wants, and what it does about each."""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from omni_core.domain.kernel.events import RecordedEvent
from omni_core.domain.kernel.uow import Transaction

Handler = Callable[[Transaction, RecordedEvent], Awaitable[None]]
MAX_NAME = 100
_NAME = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Subscription:
    """A context's reaction to what happens elsewhere, such as `jobs.cancel_for_revoked_key`.

    `name` is stable: under it Omni remembers how far each tenant's log was handled. `event_types` are exact stable
    names. A new subscription begins at the beginning of every tenant's log; what was recorded before `since`, where it
    is given, is passed over.

    `handler` is called for each event once, in the order of the log for each aggregate, inside an open transaction of
    the event's tenant, which also moves the cursor. It writes through stores with that transaction and may record
    events in it; it opens none of its own and calls no vendor: what takes a call, it queues as a job. Whatever it
    raises undoes its writes; the event is tried again and at last set aside, while others go on.
    """

    name: str
    event_types: frozenset[str]
    handler: Handler
    since: datetime | None = None

    def __post_init__(self) -> None:
        if len(self.name) > MAX_NAME or not _NAME.fullmatch(self.name):
            raise ValueError(f"{self.name!r} is no name like jobs.cancel_for_revoked_key")
        if not self.event_types:
            raise ValueError(f"{self.name} subscribes to nothing")
        if self.since is not None and self.since.tzinfo is None:
            raise ValueError(f"{self.name}: since lacks a UTC offset")

    def wants(self, event: RecordedEvent) -> bool:
        """Tell whether an event of one of its types was recorded late enough."""
        return self.since is None or event.recorded_at >= self.since


def by_name(subscriptions: Sequence[Subscription]) -> Mapping[str, Subscription]:
    """Return subscriptions by their names; raise `ValueError` where two have the same."""
    register = {subscription.name: subscription for subscription in subscriptions}
    if len(register) != len(subscriptions):
        raise ValueError("two subscriptions have the same name")
    return register
