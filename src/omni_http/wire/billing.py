"""Invoices over the wire."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from omni_core.domain.billing.api import Invoice, InvoiceLine, InvoiceSummary
from omni_core.domain.pricing.api import format_rate
from omni_http.amounts import MONTH_PATTERN, Amount, Cost


class CloseMonth(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The month to invoice: `early` though it still runs, as the operator; `empty` though there is nothing to bill."""

    month: Annotated[str, Meta(examples=["2026-11"], extra_json_schema={"pattern": MONTH_PATTERN})]
    early: bool = False
    empty: bool = False


class InvoiceLineView(msgspec.Struct, frozen=True):
    """One meter of one model at one price.

    `unit_price` is of a million tokens, or of one image or request, or of one of what an unknown meter counts.
    """

    position: int
    usage_month: str
    model: str
    meter: str
    price_id: UUID
    price_tier: int
    calls: int
    quantity: int
    unit_price: str
    exact: Cost
    amount: Amount

    @classmethod
    def of(cls, line: InvoiceLine) -> "InvoiceLineView":
        """Return a line for the wire."""
        return cls(
            position=line.position,
            usage_month=str(line.usage_month),
            model=line.model,
            meter=line.meter,
            price_id=line.price_id,
            price_tier=line.price_tier,
            calls=line.calls,
            quantity=line.quantity,
            unit_price=format_rate(line.unit_price_picos, line.meter),
            exact=Cost.of(line.exact_picos, line.amount.currency),
            amount=Amount.of(line.amount),
        )


class InvoiceSummaryView(msgspec.Struct, frozen=True):
    """An invoice without its lines."""

    id: UUID
    number: str | None
    month: str
    status: str
    total: Amount
    created_at: datetime
    finalized_at: datetime | None

    @classmethod
    def of(cls, summary: InvoiceSummary) -> "InvoiceSummaryView":
        """Return a summary for the wire."""
        return cls(
            id=summary.id,
            number=summary.number,
            month=str(summary.month),
            status=summary.status,
            total=Amount.of(summary.total),
            created_at=summary.created_at,
            finalized_at=summary.finalized_at,
        )


class InvoiceView(msgspec.Struct, frozen=True):
    """An invoice: the lines add up to the total."""

    invoice: InvoiceSummaryView
    lines: list[InvoiceLineView]

    @classmethod
    def of(cls, invoice: Invoice) -> "InvoiceView":
        """Return an invoice for the wire."""
        return cls(InvoiceSummaryView.of(invoice.summary), [InvoiceLineView.of(line) for line in invoice.lines])
