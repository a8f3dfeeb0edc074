"""What billing needs from outside."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from omni_core.domain.billing.model import Invoice, InvoiceSummary
from omni_core.domain.billing.rating import UsageTotal
from omni_core.domain.kernel.clock import Month
from omni_core.domain.kernel.uow import Transaction
from omni_core.domain.metering.api import UsageEvent
from omni_core.domain.pricing.api import Price


class InvoiceStore(Protocol):
    """Invoices of the transaction's tenant, and the register from which their numbers come."""

    async def lock(self, tx: Transaction) -> None:
        """Keep every other transaction of this tenant from locking until this one ends. Comes before any change."""
        ...

    async def next_number(self, tx: Transaction) -> int:
        """Take the next number, from 1 on without a gap: one that is rolled back is given again. Wants the lock."""
        ...

    async def of_month(self, tx: Transaction, month: Month) -> Invoice | None:
        """Return the invoice of a month, draft or finalized."""
        ...

    async def get(self, tx: Transaction, invoice_id: UUID) -> Invoice:
        """Return an invoice; raise `UnknownInvoice`."""
        ...

    async def numbered(self, tx: Transaction, number: str) -> Invoice:
        """Return the invoice with this number; raise `UnknownInvoice`."""
        ...

    async def save(self, tx: Transaction, invoice: Invoice) -> None:
        """Store an invoice with its lines; raise `InvoiceIsFinalized` where one is stored that is no draft."""
        ...

    async def list(self, tx: Transaction, limit: int, before: UUID | None) -> Sequence[InvoiceSummary]:
        """Return up to `limit` invoices older than `before`, newest first."""
        ...


class BillableUsage(Protocol):
    """The usage of the transaction's tenant, as far as it is on an invoice or still to be billed."""

    async def unbilled(self, tx: Transaction, until: datetime) -> Sequence[UsageTotal]:
        """Add up what occurred before `until` and is on no invoice."""
        ...

    async def claim(self, tx: Transaction, invoice_id: UUID, until: datetime) -> Sequence[UsageTotal]:
        """Put what occurred before `until` and is on no invoice on this one, for good, and add it up.

        The sums are of exactly the calls that were put on it, whatever is recorded at the same time.
        """
        ...

    async def events(self, tx: Transaction, invoice_id: UUID, limit: int, before: UUID | None) -> Sequence[UsageEvent]:
        """Return up to `limit` calls of an invoice older than `before`, newest first."""
        ...


class Customer(Protocol):
    """A tenant, as far as billing asks."""

    created_at: datetime


class Customers(Protocol):
    """Tenants; tenancy's `TenantStore` is one."""

    async def get(self, tx: Transaction) -> Customer:
        """Return the transaction's own tenant."""
        ...


class PriceTable(Protocol):
    """The price table, as far as billing reads it; pricing's `PriceStore` is one."""

    async def list(self, tx: Transaction) -> Sequence[Price]:
        """Return every price, in a transaction of the platform."""
        ...
