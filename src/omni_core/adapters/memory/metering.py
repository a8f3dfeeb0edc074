"""Usage in memory."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC
from uuid import UUID

from omni_core.adapters.memory.budgets import book
from omni_core.adapters.memory.database import MemoryDatabase, Where, memory_tx
from omni_core.domain.budgets.api import Charge
from omni_core.domain.kernel.money import exactly
from omni_core.domain.kernel.stored import rebuilds
from omni_core.domain.kernel.uow import Transaction
from omni_core.domain.metering.api import Grouping, Quantities, UsageEvent, UsageQuery, UsageSum
from omni_core.domain.metering.errors import InvalidUsage, UsageNotRecorded


class MemoryUsageLog:
    """The port `UsageLog`. It cannot outlive the process, so durable means no more here than committed."""

    def __init__(self, database: MemoryDatabase) -> None:
        self._database = database
        self._writing: set[asyncio.Task[bool]] = set()
        self._closed = False

    async def append(self, event: UsageEvent, charges: Sequence[Charge] = ()) -> bool:
        """Store an event and book its charges."""
        if self._closed:
            raise UsageNotRecorded("the usage log is closed")
        # A task of its own, so that a caller who leaves while the tenant's lock is taken does not lose the event.
        writing = asyncio.create_task(self._write(event, charges))
        self._writing.add(writing)
        writing.add_done_callback(self._writing.discard)
        return await asyncio.shield(writing)

    async def close(self) -> None:
        """Write what waits, and refuse more."""
        self._closed = True
        if self._writing:
            await asyncio.wait(self._writing)

    async def _write(self, event: UsageEvent, charges: Sequence[Charge]) -> bool:
        async with self._database.begin(event.tenant_id) as tx:
            if tx.get("usage_key", event.idempotency_key) is not None:
                return False
            if tx.get("usage_event", event.id) is not None:
                raise InvalidUsage("another event has this id", field="id")
            tx.put("usage_key", event.idempotency_key, event.id)
            tx.put("usage_event", event.id, event)
            book(tx, charges)
            return True


class MemoryUsageReader:
    """The port `UsageReader`."""

    async def sums(self, tx: Transaction, query: UsageQuery, by: Sequence[Grouping]) -> Sequence[UsageSum]:
        """Return sums for each group, costliest first."""
        groups: defaultdict[tuple[str, ...], list[UsageEvent]] = defaultdict(list)
        if not by:
            groups[()] = []
        for event in filter(_matches(query), memory_tx(tx).look("usage_event").values()):
            groups[tuple(_group(event, grouping) for grouping in by)].append(event)
        sums = [_sum(dict(zip(by, group, strict=True)), events) for group, events in groups.items()]
        return sorted(sums, key=lambda one: (-one.cost_picos, *one.group.values()))

    async def events(self, tx: Transaction, query: UsageQuery, limit: int, before: UUID | None) -> Sequence[UsageEvent]:
        """Return events, newest first."""
        return memory_tx(tx).newest("usage_event", limit, before, _matches(query))

    async def event(self, tx: Transaction, call_id: UUID) -> UsageEvent | None:
        """Return one event."""
        event: UsageEvent | None = memory_tx(tx).get("usage_event", call_id)
        return event


@rebuilds
def _sum(group: dict[str, str], events: Sequence[UsageEvent]) -> UsageSum:
    quantities = sum((event.quantities for event in events), Quantities())
    return UsageSum(group, len(events), quantities, exactly(sum(event.cost_picos for event in events)))


def _matches(query: UsageQuery) -> Where:
    return lambda event: (
        query.since <= event.occurred_at < query.until
        and query.model in (None, event.model)
        and query.key_id in (None, event.key_id)
    )


def _group(event: UsageEvent, grouping: Grouping) -> str:
    match grouping:
        case "model":
            return event.model
        case "provider":
            return event.provider
        case "key":
            return str(event.key_id or "")
        case "day":
            return event.occurred_at.astimezone(UTC).date().isoformat()
        case "status":
            return event.status.value
