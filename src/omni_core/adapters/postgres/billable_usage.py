"""The usage that invoices claim, on PostgreSQL: added up by the database, however many calls there are."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from omni_core.adapters.postgres import rows
from omni_core.adapters.postgres.metering import event_from_row
from omni_core.adapters.postgres.tables.metering import meter_column, usage_event
from omni_core.domain.billing.rating import UsageTotal
from omni_core.domain.kernel.clock import Month
from omni_core.domain.kernel.money import exactly
from omni_core.domain.kernel.stored import rebuilds
from omni_core.domain.kernel.uow import Transaction
from omni_core.domain.metering.api import Meter, Quantities, UsageEvent

_ALIKE = ("model", "price_id", "price_tier")
# Literals: as parameters, the two occurrences of the expression would not be the same to PostgreSQL.
_MONTH: sa.ColumnClause[str] = sa.literal_column("'month'")
_UTC: sa.ColumnClause[str] = sa.literal_column("'UTC'")


class PostgresBillableUsage:
    """The port `BillableUsage`. An event's `invoice_id` says which invoice it is on, and is set once."""

    async def unbilled(self, tx: Transaction, until: datetime) -> Sequence[UsageTotal]:
        """Add up what is on no invoice."""
        return await _totals(tx, sa.select(usage_event).where(*_is_unbilled(tx, until)).subquery())

    async def claim(self, tx: Transaction, invoice_id: UUID, until: datetime) -> Sequence[UsageTotal]:
        """Put what is on no invoice on this one: one statement marks rows and adds up the very rows that it marked."""
        statement = sa.update(usage_event).where(*_is_unbilled(tx, until)).values(invoice_id=invoice_id)
        return await _totals(tx, statement.returning(usage_event).cte("claimed"))

    async def events(self, tx: Transaction, invoice_id: UUID, limit: int, before: UUID | None) -> Sequence[UsageEvent]:
        """Return the calls of an invoice, newest first."""
        on_it = usage_event.c.invoice_id == invoice_id
        return [event_from_row(row) for row in await rows.newest(tx, usage_event, limit, before, on_it)]


def _is_unbilled(tx: Transaction, until: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    columns = usage_event.c
    return columns.tenant_id == tx.tenant_id, columns.invoice_id.is_(None), columns.occurred_at < until


async def _totals(tx: Transaction, events: sa.FromClause) -> list[UsageTotal]:
    alike = [
        sa.func.date_trunc(_MONTH, events.c.occurred_at, _UTC).label("usage_month"),
        *(events.c[c] for c in _ALIKE),
    ]
    summed = (*map(meter_column, Meter), "cost_picos")
    sums = [sa.func.sum(events.c[column]).label(column) for column in summed]
    query = sa.select(*alike, sa.func.count().label("calls"), *sums).group_by(*alike)
    return [_total_from_row(row) for row in await rows.fetched(tx, query)]


@rebuilds
def _total_from_row(row: rows.Row) -> UsageTotal:
    return UsageTotal(
        usage_month=Month.of(row["usage_month"]),
        model=row["model"],
        price_id=row["price_id"],
        price_tier=row["price_tier"],
        calls=row["calls"],
        quantities=Quantities(**{meter: int(row[meter_column(meter)]) for meter in Meter}),
        cost_picos=exactly(row["cost_picos"]),
    )
