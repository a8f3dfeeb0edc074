"""Tables of rows in memory, with transactions that are serial for each tenant and that roll back."""

import asyncio
import copy
import heapq
import itertools
from collections import defaultdict
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any
from uuid import UUID

import msgspec

from omni_core.domain.kernel.clock import Clock
from omni_core.domain.kernel.errors import OmniError
from omni_core.domain.kernel.events import Event, RecordedEvent
from omni_core.domain.kernel.ids import Ids
from omni_core.domain.kernel.stored import rebuilds
from omni_core.domain.kernel.tenancy import TenantId
from omni_core.domain.kernel.uow import Transaction

Table = dict[TenantId, dict[object, Any]]
Where = Callable[[Any], bool]
"""Tells whether a row is wanted. It is shown the row itself, which it must neither change nor keep."""


def _all(_: Any) -> bool:
    return True


# A copy of a Struct is made by its constructor, and what is stored outlives the rules of that.
_copy = rebuilds(copy.deepcopy)

AT_ONCE = datetime.min.replace(tzinfo=UTC)


class LogHead(msgspec.Struct, frozen=True):
    """The end of a tenant's log: see the table `event_head` of PostgreSQL."""

    tenant_id: TenantId
    position: int
    due_at: datetime | None = AT_ONCE
    settled_by: tuple[str, ...] = ()


class MemoryDatabase:
    """The tables, and a lock for each tenant: at most one transaction of a tenant is open at a time."""

    def __init__(self, clock: Clock, ids: Ids) -> None:
        self.clock = clock
        self.ids = ids
        self.positions = itertools.count(1)
        self.tables: dict[str, Table] = defaultdict(lambda: defaultdict(dict))
        self._locks: dict[TenantId, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._open: dict[TenantId, MemoryTransaction] = {}

    @asynccontextmanager
    async def begin(self, tenant_id: TenantId) -> "AsyncGenerator[MemoryTransaction, None]":
        """Open a transaction; a UnitOfWork. One inside another for the same tenant would wait for itself: refused."""
        task = asyncio.current_task()
        outer = self._open.get(tenant_id)
        if outer is not None and outer.task is task:
            raise RuntimeError("a transaction of this tenant is open in this task already")
        async with self._locks[tenant_id]:
            tx = self._open[tenant_id] = MemoryTransaction(self, tenant_id, task)
            try:
                yield tx
            except BaseException:
                tx.roll_back()
                raise
            finally:
                del self._open[tenant_id]

    def every(self, table: str, where: Where = _all) -> Iterator[Any]:
        """Yield copies of rows of every tenant, committed or not; for keys that are unique beyond a tenant."""
        for rows in self.tables[table].values():
            yield from map(_copy, filter(where, rows.values()))

    def committed(self, table: str, where: Where = _all) -> Iterator[Any]:
        """Yield copies of committed rows of every tenant; for what stands in for the directory functions."""
        for tenant_id, rows in self.tables[table].items():
            tx = self._open.get(tenant_id)
            yield from map(_copy, filter(where, (rows if tx is None else tx.before(table)).values()))


class MemoryTransaction:
    """Reads and writes the rows of one tenant; keeps what it overwrote, to put it back."""

    def __init__(self, database: MemoryDatabase, tenant_id: TenantId, task: asyncio.Task[Any] | None) -> None:
        self.task = task
        self._database = database
        self._tenant_id = tenant_id
        self._before: list[tuple[str, object, Any]] = []

    @property
    def tenant_id(self) -> TenantId:
        """The tenant whose rows this transaction sees."""
        return self._tenant_id

    def now(self) -> datetime:
        """Return the moment by the database's clock."""
        return self._database.clock.now()

    def rows(self, table: str) -> dict[object, Any]:
        """Return copies of the tenant's rows, by key, in the order in which they were added."""
        return {key: _copy(row) for key, row in self._rows(table).items()}

    def look(self, table: str) -> Mapping[object, Any]:
        """Return the tenant's rows themselves, by key: to count or compare, neither to change nor to hand out."""
        return MappingProxyType(self._rows(table))

    def find(self, table: str, where: Where = _all) -> list[Any]:
        """Return copies of the tenant's rows, in the order in which they were added."""
        return [_copy(row) for row in self._rows(table).values() if where(row)]

    def newest(self, table: str, limit: int, before: UUID | None, where: Where = _all) -> list[Any]:
        """Return copies of up to `limit` rows older than `before`, newest first: ids grow with time."""
        older = (row for row in self._rows(table).values() if (before is None or row.id < before) and where(row))
        return [_copy(row) for row in heapq.nlargest(limit, older, key=_age)]

    def one(self, table: str, key: object, unknown: OmniError) -> Any:
        """Return a copy of a row; raise `unknown` where there is none."""
        row = self._rows(table).get(key)
        if row is None:
            raise unknown
        return _copy(row)

    def get(self, table: str, key: object) -> Any:
        """Return a copy of a row, or None."""
        return _copy(self._rows(table).get(key))

    def put(self, table: str, key: object, row: Any) -> None:
        """Add or replace a row."""
        self._before.append((table, key, self._rows(table).get(key)))
        self._rows(table)[key] = _copy(row)

    def delete(self, table: str, key: object) -> bool:
        """Remove a row; tell whether it was there."""
        before = self._rows(table).pop(key, None)
        self._before.append((table, key, before))
        return before is not None

    async def record(self, *events: Event) -> None:
        """Append events to the tenant's log."""
        for event in events:
            recorded = RecordedEvent(
                id=self._database.ids.new(),
                position=next(self._database.positions),
                tenant_id=self._tenant_id,
                event_type=event.event_type,
                aggregate_id=event.aggregate_id,
                recorded_at=self._database.clock.now(),
                data=msgspec.json.decode(msgspec.json.encode(event)),  # as the JSON that a database would keep
            )
            self.put("event", recorded.id, recorded)
            self.put("event_head", None, LogHead(self._tenant_id, recorded.position))

    def before(self, table: str) -> dict[object, Any]:
        """Return the tenant's rows as they were when the transaction began."""
        rows = dict(self._rows(table))
        for _, key, row in reversed([change for change in self._before if change[0] == table]):
            if row is None:
                rows.pop(key, None)
            else:
                rows[key] = row
        return rows

    def roll_back(self) -> None:
        """Put back what was there before."""
        for table in {change[0] for change in self._before}:
            self._database.tables[table][self._tenant_id] = self.before(table)

    def _rows(self, table: str) -> dict[object, Any]:
        return self._database.tables[table][self._tenant_id]


def _age(row: Any) -> int:
    # Python compares UUIDs by a method of its own, integers at once.
    number: int = row.id.int
    return number


def memory_tx(tx: Transaction) -> MemoryTransaction:
    """Return `tx` as what it must be here: adapters of one technology only work with one another."""
    if not isinstance(tx, MemoryTransaction):
        raise TypeError("a memory adapter was handed a transaction of another technology")
    return tx
