"""The event log on PostgreSQL."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

import asyncpg
import sqlalchemy as sa

from omni_core.adapters.postgres import rows
from omni_core.adapters.postgres.conditions import compile_condition
from omni_core.adapters.postgres.event_cursors import PostgresCursors, PostgresInbox, PostgresWaking
from omni_core.adapters.postgres.held_events import PostgresHeldEvents
from omni_core.adapters.postgres.tables.events import event_head
from omni_core.adapters.postgres.tables.kernel import event
from omni_core.adapters.postgres.uow import connection_of
from omni_core.domain.events.errors import UnknownEvent
from omni_core.domain.events.ports import EventStorage
from omni_core.domain.kernel.clock import Clock
from omni_core.domain.kernel.conditions.api import Condition
from omni_core.domain.kernel.events import RecordedEvent
from omni_core.domain.kernel.ids import Ids
from omni_core.domain.kernel.pages import Page, PageRequest, page_of
from omni_core.domain.kernel.tenancy import TenantId
from omni_core.domain.kernel.uow import Transaction, UnitOfWork

_ASKED = {
    "event_type": event.c.event_type,
    "aggregate_id": event.c.aggregate_id,
    "recorded_at": event.c.recorded_at,
    "data": event.c.data,
}
# An index look-up for each type, however long the log is.
_LAST_OF = sa.text("""
select wanted.event_type, last.seq
  from unnest(cast(:event_types as text[])) wanted(event_type)
 cross join lateral (select max(seq) as seq from event
                      where tenant_id = :tenant_id and event_type = wanted.event_type) last
 where last.seq is not null
""")


class PostgresEventLog:
    """The port `EventLog`."""

    async def read(self, tx: Transaction, page: PageRequest, where: Condition | None = None) -> Page[RecordedEvent]:
        """Return the tenant's events, oldest first."""
        wanted = [] if where is None else [compile_condition(where, _ASKED)]
        query = rows.of_tenant(tx, event, *wanted).order_by(event.c.seq).limit(page.limit + 1)
        if page.after is not None:
            seen = sa.select(event.c.seq).where(event.c.tenant_id == tx.tenant_id, event.c.id == page.after)
            query = query.where(event.c.seq > seen.scalar_subquery())
        found = await rows.fetched(tx, query)
        return page_of([_from_row(row) for row in found], page.limit, lambda recorded: recorded.id)

    async def get(self, tx: Transaction, event_id: UUID) -> RecordedEvent:
        """Return an event."""
        unknown = UnknownEvent(event_id=str(event_id))
        return _from_row(await rows.one(tx, event, unknown, event.c.id == event_id))

    async def head(self, tx: Transaction) -> int:
        """Return the position of the last event."""
        query = sa.select(event_head.c.position).where(event_head.c.tenant_id == tx.tenant_id)
        return (await connection_of(tx).execute(query)).scalar() or 0

    async def after(
        self, tx: Transaction, position: int, event_types: Collection[str], until: int, limit: int
    ) -> Sequence[RecordedEvent]:
        """Return events of these types, oldest first."""
        query = rows.of_tenant(tx, event, event.c.seq > position, event.c.seq <= until, _is_of(event_types))
        return [_from_row(row) for row in await rows.fetched(tx, query.order_by(event.c.seq).limit(limit))]

    async def count_after(self, tx: Transaction, position: int, event_types: Collection[str], limit: int) -> int:
        """Count events of these types."""
        waiting = sa.select(event.c.seq).where(event.c.tenant_id == tx.tenant_id, event.c.seq > position)
        few = waiting.where(_is_of(event_types)).limit(limit).subquery()
        return (await connection_of(tx).execute(sa.select(sa.func.count()).select_from(few))).scalar_one()

    async def last_of(self, tx: Transaction, event_types: Collection[str]) -> Mapping[str, int]:
        """Return the position of the last event of each type."""
        values = {"tenant_id": tx.tenant_id, "event_types": sorted(event_types)}
        return {row.event_type: row.seq for row in await connection_of(tx).execute(_LAST_OF, values)}

    async def first_since(self, tx: Transaction, moment: datetime) -> int | None:
        """Return the position of the first event since `moment`."""
        query = sa.select(event.c.seq).where(event.c.tenant_id == tx.tenant_id, event.c.recorded_at >= moment)
        position: int | None = (await connection_of(tx).execute(query.order_by(event.c.seq).limit(1))).scalar()
        return position


def postgres_event_storage(uow: UnitOfWork, pool: asyncpg.Pool, clock: Clock, ids: Ids) -> EventStorage:
    """Return everything that subscriptions run on, on PostgreSQL."""
    return EventStorage(
        uow=uow,
        log=PostgresEventLog(),
        cursors=PostgresCursors(),
        inbox=PostgresInbox(),
        held=PostgresHeldEvents(),
        waking=PostgresWaking(pool),
        clock=clock,
        ids=ids,
    )


def _is_of(event_types: Collection[str]) -> sa.ColumnElement[bool]:
    return event.c.event_type == sa.any_(sa.cast(sorted(event_types), sa.ARRAY(sa.Text)))


def _from_row(row: rows.Row) -> RecordedEvent:
    return RecordedEvent(
        id=row["id"],
        position=row["seq"],
        tenant_id=TenantId(row["tenant_id"]),
        event_type=row["event_type"],
        aggregate_id=row["aggregate_id"],
        recorded_at=row["recorded_at"],
        data=row["data"],
    )
