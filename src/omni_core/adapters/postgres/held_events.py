"""What subscriptions could not handle yet, on PostgreSQL."""

from collections.abc import Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from omni_core.adapters.postgres import rows
from omni_core.adapters.postgres.tables.events import event_held
from omni_core.adapters.postgres.uow import connection_of
from omni_core.domain.events.model import HeldEvent, HeldStatus
from omni_core.domain.kernel.failures import Failure
from omni_core.domain.kernel.stored import rebuilds, stored
from omni_core.domain.kernel.uow import Transaction


class PostgresHeldEvents:
    """The port `HeldEvents`."""

    async def add(self, tx: Transaction, held: Collection[HeldEvent]) -> None:
        """Store newly held events."""
        await connection_of(tx).execute(sa.insert(event_held), [_to_row(tx, one) for one in held])

    async def get(self, tx: Transaction, subscription: str, event_id: UUID) -> HeldEvent | None:
        """Return one."""
        return await self._first(tx, _held_by(tx, subscription).where(event_held.c.event_id == event_id))

    async def save(self, tx: Transaction, held: HeldEvent) -> None:
        """Store what has changed."""
        statement = sa.update(event_held).where(event_held.c.tenant_id == tx.tenant_id, event_held.c.id == held.id)
        await connection_of(tx).execute(statement.values(_to_row(tx, held)))

    async def remove(self, tx: Transaction, held: HeldEvent) -> None:
        """Forget one."""
        statement = sa.delete(event_held).where(event_held.c.tenant_id == tx.tenant_id, event_held.c.id == held.id)
        await connection_of(tx).execute(statement)

    async def forget(self, tx: Transaction, subscription: str, position: int) -> None:
        """Forget what is after `position`."""
        statement = sa.delete(event_held).where(
            event_held.c.tenant_id == tx.tenant_id,
            event_held.c.subscription == subscription,
            event_held.c.position > position,
        )
        await connection_of(tx).execute(statement)

    async def due(self, tx: Transaction, subscription: str, now: datetime) -> HeldEvent | None:
        """Return the first that is due."""
        query = _held_by(tx, subscription).where(event_held.c.retry_at <= now)
        return await self._first(tx, query)

    async def next_behind(self, tx: Transaction, subscription: str, aggregate_id: UUID) -> HeldEvent | None:
        """Return the first that is behind."""
        query = _held_by(tx, subscription).where(
            event_held.c.aggregate_id == aggregate_id, event_held.c.status == HeldStatus.BEHIND
        )
        return await self._first(tx, query)

    async def blocked(self, tx: Transaction, subscription: str, aggregate_ids: Collection[UUID]) -> AbstractSet[UUID]:
        """Return aggregates of which something is held."""
        held = _held_by(tx, subscription).with_only_columns(event_held.c.aggregate_id).distinct()
        query = held.where(event_held.c.aggregate_id == sa.any_(sa.cast([*aggregate_ids], sa.ARRAY(sa.Uuid))))
        return set((await connection_of(tx).execute(query)).scalars())

    async def retries(self, tx: Transaction) -> Mapping[str, datetime]:
        """Return the next retry of each subscription."""
        query = (
            sa.select(event_held.c.subscription, sa.func.min(event_held.c.retry_at).label("moment"))
            .where(event_held.c.tenant_id == tx.tenant_id, event_held.c.retry_at.is_not(None))
            .group_by(event_held.c.subscription)
        )
        return {row.subscription: row.moment for row in await connection_of(tx).execute(query)}

    async def counts(self, tx: Transaction) -> Mapping[tuple[str, HeldStatus], int]:
        """Count what is held."""
        query = (
            sa.select(event_held.c.subscription, event_held.c.status, sa.func.count().label("number"))
            .where(event_held.c.tenant_id == tx.tenant_id)
            .group_by(event_held.c.subscription, event_held.c.status)
        )
        found = await connection_of(tx).execute(query)
        return {(row.subscription, stored(HeldStatus, row.status)): row.number for row in found}

    async def list(
        self, tx: Transaction, limit: int, before: UUID | None, subscription: str | None
    ) -> Sequence[HeldEvent]:
        """Return what is held, newest first."""
        wanted = [] if subscription is None else [event_held.c.subscription == subscription]
        return [_from_row(row) for row in await rows.newest(tx, event_held, limit, before, *wanted)]

    async def _first(self, tx: Transaction, query: sa.Select[Any]) -> HeldEvent | None:
        found = await rows.fetched(tx, query.order_by(event_held.c.position).limit(1))
        return next((_from_row(row) for row in found), None)


def _held_by(tx: Transaction, subscription: str) -> sa.Select[Any]:
    return rows.of_tenant(tx, event_held, event_held.c.subscription == subscription)


def _to_row(tx: Transaction, held: HeldEvent) -> dict[str, Any]:
    return {
        "tenant_id": tx.tenant_id,
        "id": held.id,
        "subscription": held.subscription,
        "event_id": held.event_id,
        "event_type": held.event_type,
        "aggregate_id": held.aggregate_id,
        "position": held.position,
        "held_at": held.held_at,
        "status": held.status,
        "attempts": held.attempts,
        "retry_at": held.retry_at,
        "code": held.failure and held.failure.code,
        "detail": held.failure and held.failure.detail,
    }


@rebuilds
def _from_row(row: rows.Row) -> HeldEvent:
    return HeldEvent(
        id=row["id"],
        subscription=row["subscription"],
        event_id=row["event_id"],
        event_type=row["event_type"],
        aggregate_id=row["aggregate_id"],
        position=row["position"],
        held_at=row["held_at"],
        status=stored(HeldStatus, row["status"]),
        attempts=row["attempts"],
        retry_at=row["retry_at"],
        failure=None if row["code"] is None else Failure(row["code"], row["detail"]),
    )
