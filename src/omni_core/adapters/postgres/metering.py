"""Reads usage on PostgreSQL; `usage_log` writes it."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from omni_core.adapters.postgres import rows
from omni_core.adapters.postgres.tables.metering import meter_column, usage_event
from omni_core.domain.kernel.money import exactly
from omni_core.domain.kernel.stored import rebuilds, stored
from omni_core.domain.kernel.tenancy import TenantId
from omni_core.domain.kernel.uow import Transaction
from omni_core.domain.metering.api import (
    MOST_GROUPS,
    CallStatus,
    EstimateReason,
    Grouping,
    Meter,
    Quantities,
    UsageEvent,
    UsageQuery,
    UsageSum,
)

_COLUMNS = usage_event.c
_GROUPS: dict[Grouping, sa.ColumnElement[Any]] = {
    "model": _COLUMNS.model,
    "provider": _COLUMNS.provider,
    "key": sa.func.coalesce(sa.cast(_COLUMNS.key_id, sa.Text), sa.literal_column("''")),
    # A literal: as a parameter, two occurrences of the expression would not be the same to PostgreSQL.
    "day": sa.cast(sa.cast(sa.func.timezone(sa.literal_column("'UTC'"), _COLUMNS.occurred_at), sa.Date), sa.Text),
    "status": _COLUMNS.status,
}


class PostgresUsageReader:
    """The port `UsageReader`."""

    async def sums(self, tx: Transaction, query: UsageQuery, by: Sequence[Grouping]) -> Sequence[UsageSum]:
        """Return sums for each group, costliest first."""
        groups = [_GROUPS[grouping].label(f"by_{grouping}") for grouping in by]
        quantities = [sa.func.sum(_COLUMNS[meter_column(meter)]).label(meter.value) for meter in Meter]
        cost = sa.func.sum(_COLUMNS.cost_picos).label("cost")
        matching = (_COLUMNS.tenant_id == tx.tenant_id, *_matches(query))
        statement = sa.select(*groups, sa.func.count().label("calls"), *quantities, cost).where(*matching)
        if groups:
            statement = statement.group_by(*groups)
        ordered = statement.order_by(cost.desc(), *(group.collate("C") for group in groups)).limit(MOST_GROUPS + 1)
        return [_sum_from_row(row, by) for row in await rows.fetched(tx, ordered)]

    async def events(self, tx: Transaction, query: UsageQuery, limit: int, before: UUID | None) -> Sequence[UsageEvent]:
        """Return events, newest first."""
        return [event_from_row(row) for row in await rows.newest(tx, usage_event, limit, before, *_matches(query))]

    async def event(self, tx: Transaction, call_id: UUID) -> UsageEvent | None:
        """Return one event."""
        row = await rows.found(tx, usage_event, _COLUMNS.id == call_id)
        return event_from_row(row) if row is not None else None


@rebuilds
def event_from_row(row: rows.Row) -> UsageEvent:
    """Return the event that a row of `usage_event` holds."""
    return UsageEvent(
        id=row["id"],
        tenant_id=TenantId(row["tenant_id"]),
        idempotency_key=row["idempotency_key"],
        key_id=row["key_id"],
        model=row["model"],
        provider=row["provider"],
        status=stored(CallStatus, row["status"]),
        quantities=Quantities(**{meter.value: row[meter_column(meter)] for meter in Meter}),
        estimated=row["estimated"],
        price_id=row["price_id"],
        price_tier=row["price_tier"],
        cost_picos=exactly(row["cost_picos"]),
        currency=row["currency"],
        latency_ms=row["latency_ms"],
        request_id=row["request_id"],
        occurred_at=row["occurred_at"],
        estimate_reason=None if row["estimate_reason"] is None else stored(EstimateReason, row["estimate_reason"]),
    )


@rebuilds
def _sum_from_row(row: rows.Row, by: Sequence[Grouping]) -> UsageSum:
    return UsageSum(
        {grouping: row[f"by_{grouping}"] for grouping in by},
        row["calls"],
        Quantities(**{meter.value: int(row[meter.value] or 0) for meter in Meter}),
        exactly(row["cost"] or 0),
    )


def _matches(query: UsageQuery) -> list[rows.Condition]:
    conditions = [_COLUMNS.occurred_at >= query.since, _COLUMNS.occurred_at < query.until]
    if query.model is not None:
        conditions.append(_COLUMNS.model == query.model)
    if query.key_id is not None:
        conditions.append(_COLUMNS.key_id == query.key_id)
    return conditions
