"""What metering needs from outside."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from omni_core.domain.budgets.api import Charge
from omni_core.domain.kernel.uow import Transaction
from omni_core.domain.metering.model import Grouping, UsageEvent, UsageQuery, UsageSum


class UsageLog(Protocol):
    """Where usage is written, by many callers at once: writers share a transaction."""

    async def append(self, event: UsageEvent, charges: Sequence[Charge] = ()) -> bool:
        """Return once the event is durable, together with its charges on budgets.

        An event whose idempotency key the tenant has used before changes nothing, charges included; tell whether this
        one was new. A caller who is cancelled while waiting takes nothing back. Raises the retryable `UsageNotRecorded`
        where it could not be written, or nobody knows: then it may be tried again; and `InvalidUsage` where it never
        can be.
        """
        ...

    async def close(self) -> None:
        """Write what waits, and refuse more with `UsageNotRecorded`."""
        ...


class UsageReader(Protocol):
    """Reads the usage of the transaction's tenant."""

    async def sums(self, tx: Transaction, query: UsageQuery, by: Sequence[Grouping]) -> Sequence[UsageSum]:
        """Return sums for each group, costliest first; one row for all where `by` is empty.

        Of more than `MOST_GROUPS` it may return one more than that, so that whoever asked knows.
        """
        ...

    async def events(self, tx: Transaction, query: UsageQuery, limit: int, before: UUID | None) -> Sequence[UsageEvent]:
        """Return up to `limit` events older than `before`, newest first."""
        ...

    async def event(self, tx: Transaction, call_id: UUID) -> UsageEvent | None:
        """Return the event of this id, if there is one."""
        ...
