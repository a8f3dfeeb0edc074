"""How far subscriptions are, what they have handled and which tenants they should look at, on PostgreSQL."""

from collections.abc import Collection, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from omni_core.adapters.postgres.engine import fetch
from omni_core.adapters.postgres.tables.events import event_cursor, event_head, event_inbox
from omni_core.adapters.postgres.uow import connection_of
from omni_core.domain.events.model import Cursor
from omni_core.domain.kernel.events import RecordedEvent
from omni_core.domain.kernel.tenancy import TenantId
from omni_core.domain.kernel.uow import Transaction


class PostgresCursors:
    """The port `Cursors`: a cursor is held by the lock of its row."""

    async def take(self, tx: Transaction, subscription: str, now: datetime) -> Cursor | None:
        """Lock a cursor, or make it, unless somebody else has it locked."""
        query = _cursors_of(tx).where(event_cursor.c.subscription == subscription)
        free = await connection_of(tx).execute(query.with_for_update(key_share=True, skip_locked=True))
        row = free.first()
        if row is None:
            # Locked, or not there yet. Of two who make it, the second waits, and then has not made it.
            new = {"tenant_id": tx.tenant_id, "subscription": subscription, "position": 0, "handled": 0}
            making = insert(event_cursor).values(**new, moved_at=now).on_conflict_do_nothing().returning(event_cursor)
            row = (await connection_of(tx).execute(making)).first()
        return None if row is None else _from_row(row)

    async def lock(self, tx: Transaction, subscription: str) -> Cursor | None:
        """Lock a cursor, and wait for it."""
        query = _cursors_of(tx).where(event_cursor.c.subscription == subscription)
        row = (await connection_of(tx).execute(query.with_for_update(key_share=True))).first()
        return None if row is None else _from_row(row)

    async def save(self, tx: Transaction, cursor: Cursor) -> None:
        """Store a cursor."""
        statement = sa.update(event_cursor).where(
            event_cursor.c.tenant_id == tx.tenant_id, event_cursor.c.subscription == cursor.subscription
        )
        values = {"position": cursor.position, "handled": cursor.handled, "moved_at": cursor.moved_at}
        await connection_of(tx).execute(statement.values(values))

    async def list(self, tx: Transaction) -> Sequence[Cursor]:
        """Return all cursors, by name."""
        rows = await connection_of(tx).execute(_cursors_of(tx))
        return sorted((_from_row(row) for row in rows), key=lambda cursor: cursor.subscription)


class PostgresInbox:
    """The port `Inbox`."""

    async def claim(
        self, tx: Transaction, subscription: str, events: Collection[RecordedEvent], now: datetime
    ) -> AbstractSet[UUID]:
        """Note events, and return the ids of those that are new."""
        if not events:
            return set()
        rows = [
            {
                "tenant_id": tx.tenant_id,
                "subscription": subscription,
                "event_id": event.id,
                "position": event.position,
                "handled_at": now,
            }
            for event in events
        ]
        statement = insert(event_inbox).on_conflict_do_nothing().returning(event_inbox.c.event_id)
        return set((await connection_of(tx).execute(statement, rows)).scalars())

    async def forget(self, tx: Transaction, subscription: str, position: int) -> None:
        """Forget what is after `position`."""
        statement = sa.delete(event_inbox).where(
            event_inbox.c.tenant_id == tx.tenant_id,
            event_inbox.c.subscription == subscription,
            event_inbox.c.position > position,
        )
        await connection_of(tx).execute(statement)


class PostgresWaking:
    """The port `Waking`, on functions of the database that tell ids. A trigger makes a tenant due.

    Raises `DatabaseUnavailable` where PostgreSQL does not answer.
    """

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def due(self, limit: int, at: datetime, after: TenantId | None) -> Sequence[TenantId]:
        """Return tenants that are due, by id."""
        query = "select tenant_id from omni_tenants_with_events_due($1, $2, $3) t(tenant_id)"
        return [TenantId(row["tenant_id"]) for row in await fetch(self._pool, query, limit, at, after)]

    async def unsettled(self, crew: str, limit: int, after: TenantId | None) -> Sequence[TenantId]:
        """Return tenants that `crew` has not come to the end of, by id."""
        query = "select tenant_id from omni_tenants_with_events_unsettled($1, $2, $3) t(tenant_id)"
        return [TenantId(row["tenant_id"]) for row in await fetch(self._pool, query, crew, limit, after)]

    async def settle(self, tx: Transaction, crew: str, head: int, until: datetime | None) -> None:
        """Note that `crew` is done with a tenant."""
        others = sa.func.array_remove(event_head.c.settled_by, crew)
        statement = sa.update(event_head).where(event_head.c.tenant_id == tx.tenant_id, event_head.c.position == head)
        await connection_of(tx).execute(statement.values(due_at=until, settled_by=sa.func.array_append(others, crew)))


def _cursors_of(tx: Transaction) -> sa.Select[Any]:
    return sa.select(event_cursor).where(event_cursor.c.tenant_id == tx.tenant_id)


def _from_row(row: sa.Row[Any]) -> Cursor:
    return Cursor(subscription=row.subscription, position=row.position, handled=row.handled, moved_at=row.moved_at)
