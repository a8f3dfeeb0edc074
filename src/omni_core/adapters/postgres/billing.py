"""Invoices, and the usage that they claim, on PostgreSQL."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from omni_core.adapters.postgres import rows
from omni_core.adapters.postgres.tables.billing import invoice, invoice_line, invoice_register
from omni_core.adapters.postgres.uow import connection_of
from omni_core.domain.billing.errors import InvoiceIsFinalized, UnknownInvoice
from omni_core.domain.billing.model import Invoice, InvoiceLine, InvoiceStatus, InvoiceSummary
from omni_core.domain.kernel.clock import Month
from omni_core.domain.kernel.money import Money, exactly, picos_text
from omni_core.domain.kernel.stored import rebuilds, stored
from omni_core.domain.kernel.tenancy import TenantId
from omni_core.domain.kernel.uow import Transaction
from omni_core.domain.metering.api import Meter


class PostgresInvoiceStore:
    """The port `InvoiceStore`."""

    async def lock(self, tx: Transaction) -> None:
        """Lock the tenant's register, which is made at its first use."""
        connection = connection_of(tx)
        first = insert(invoice_register).values(tenant_id=tx.tenant_id, last_number=0)
        await connection.execute(first.on_conflict_do_nothing())
        query = sa.select(invoice_register.c.last_number).where(invoice_register.c.tenant_id == tx.tenant_id)
        await connection.execute(query.with_for_update(key_share=True))

    async def next_number(self, tx: Transaction) -> int:
        """Take the next number."""
        statement = (
            sa.update(invoice_register)
            .where(invoice_register.c.tenant_id == tx.tenant_id)
            .values(last_number=invoice_register.c.last_number + 1)
            .returning(invoice_register.c.last_number)
        )
        return int((await connection_of(tx).execute(statement)).scalar_one())

    async def of_month(self, tx: Transaction, month: Month) -> Invoice | None:
        """Return the invoice of a month."""
        return await self._find(tx, invoice.c.month == month.start.date())

    async def get(self, tx: Transaction, invoice_id: UUID) -> Invoice:
        """Return an invoice."""
        found = await self._find(tx, invoice.c.id == invoice_id)
        if found is None:
            raise UnknownInvoice(invoice_id=str(invoice_id))
        return found

    async def numbered(self, tx: Transaction, number: str) -> Invoice:
        """Return the invoice with a number."""
        found = await self._find(tx, invoice.c.number == number)
        if found is None:
            raise UnknownInvoice(number=number)
        return found

    async def save(self, tx: Transaction, changed: Invoice) -> None:
        """Store an invoice: its lines first, since a finalized one takes none."""
        connection = connection_of(tx)
        itself = (invoice.c.tenant_id == tx.tenant_id, invoice.c.id == changed.id)
        query = sa.select(invoice.c.status).where(*itself).with_for_update(key_share=True)
        status = (await connection.execute(query)).scalar_one_or_none()
        if status not in (None, InvoiceStatus.DRAFT):
            raise InvoiceIsFinalized(invoice_id=str(changed.id))
        if status is not None:
            lines = (invoice_line.c.tenant_id == tx.tenant_id, invoice_line.c.invoice_id == changed.id)
            await connection.execute(sa.delete(invoice_line).where(*lines))
        if changed.lines:
            await connection.execute(sa.insert(invoice_line), [_line_to_row(changed, line) for line in changed.lines])
        row = _to_row(changed)
        statement = insert(invoice).values(row)
        await connection.execute(statement.on_conflict_do_update(index_elements=["tenant_id", "id"], set_=row))

    async def list(self, tx: Transaction, limit: int, before: UUID | None) -> Sequence[InvoiceSummary]:
        """Return invoices, newest first."""
        return [_summary_from_row(row) for row in await rows.newest(tx, invoice, limit, before)]

    async def _find(self, tx: Transaction, which: rows.Condition) -> Invoice | None:
        row = await rows.found(tx, invoice, which)
        if row is None:
            return None
        lines = rows.of_tenant(tx, invoice_line, invoice_line.c.invoice_id == row["id"])
        return _from_row(row, await rows.fetched(tx, lines.order_by(invoice_line.c.position)))


def _to_row(one: Invoice) -> dict[str, Any]:
    return {
        "tenant_id": one.tenant_id,
        "id": one.id,
        "month": one.month.start.date(),
        "currency": one.currency,
        "status": one.status,
        "number": one.number,
        "total_minor": one.total.minor,
        "created_at": one.created_at,
        "finalized_at": one.finalized_at,
    }


def _line_to_row(one: Invoice, line: InvoiceLine) -> dict[str, Any]:
    return {
        "tenant_id": one.tenant_id,
        "invoice_id": one.id,
        "position": line.position,
        "usage_month": line.usage_month.start.date(),
        "model": line.model,
        "meter": line.meter,
        "price_id": line.price_id,
        "price_tier": line.price_tier,
        "calls": line.calls,
        "quantity": line.quantity,
        "unit_price_picos": Decimal(picos_text(line.unit_price_picos)),
        "exact_picos": Decimal(picos_text(line.exact_picos)),
        "amount_minor": line.amount.minor,
    }


@rebuilds
def _from_row(row: rows.Row, lines: Sequence[rows.Row]) -> Invoice:
    return Invoice(
        id=row["id"],
        tenant_id=TenantId(row["tenant_id"]),
        month=_month_of(row["month"]),
        currency=row["currency"],
        status=stored(InvoiceStatus, row["status"]),
        number=row["number"],
        lines=tuple(_line_from_row(line, row["currency"]) for line in lines),
        total=Money(row["total_minor"], row["currency"]),
        created_at=row["created_at"],
        finalized_at=row["finalized_at"],
    )


@rebuilds
def _line_from_row(row: rows.Row, currency: str) -> InvoiceLine:
    return InvoiceLine(
        position=row["position"],
        usage_month=_month_of(row["usage_month"]),
        model=row["model"],
        meter=stored(Meter, row["meter"]),
        price_id=row["price_id"],
        price_tier=row["price_tier"],
        calls=row["calls"],
        quantity=row["quantity"],
        unit_price_picos=exactly(row["unit_price_picos"]),
        exact_picos=exactly(row["exact_picos"]),
        amount=Money(row["amount_minor"], currency),
    )


@rebuilds
def _summary_from_row(row: rows.Row) -> InvoiceSummary:
    return InvoiceSummary(
        id=row["id"],
        month=_month_of(row["month"]),
        status=stored(InvoiceStatus, row["status"]),
        number=row["number"],
        total=Money(row["total_minor"], row["currency"]),
        created_at=row["created_at"],
        finalized_at=row["finalized_at"],
    )


def _month_of(first_day: date) -> Month:
    return Month(first_day.year, first_day.month)
