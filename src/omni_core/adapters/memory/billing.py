"""Invoices, and the usage that they claim, in memory."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from omni_core.adapters.memory.database import MemoryTransaction, memory_tx
from omni_core.domain.billing.errors import InvoiceIsFinalized, UnknownInvoice
from omni_core.domain.billing.model import Invoice, InvoiceSummary
from omni_core.domain.billing.rating import UsageTotal
from omni_core.domain.kernel.clock import Month
from omni_core.domain.kernel.money import exactly
from omni_core.domain.kernel.stored import rebuilds
from omni_core.domain.kernel.uow import Transaction
from omni_core.domain.metering.api import Quantities, UsageEvent

_LAST_NUMBER = "last"


class MemoryInvoiceStore:
    """The port `InvoiceStore`."""

    async def lock(self, tx: Transaction) -> None:
        """Nothing to do: a memory transaction holds its tenant's lock."""
        memory_tx(tx)

    async def next_number(self, tx: Transaction) -> int:
        """Take the next number."""
        number = int(memory_tx(tx).get("invoice_register", _LAST_NUMBER) or 0) + 1
        memory_tx(tx).put("invoice_register", _LAST_NUMBER, number)
        return number

    async def of_month(self, tx: Transaction, month: Month) -> Invoice | None:
        """Return the invoice of a month."""
        return next(iter(memory_tx(tx).find("invoice", lambda invoice: invoice.month == month)), None)

    async def get(self, tx: Transaction, invoice_id: UUID) -> Invoice:
        """Return an invoice."""
        invoice: Invoice = memory_tx(tx).one("invoice", invoice_id, UnknownInvoice(invoice_id=str(invoice_id)))
        return invoice

    async def numbered(self, tx: Transaction, number: str) -> Invoice:
        """Return the invoice with a number."""
        found: list[Invoice] = list(memory_tx(tx).find("invoice", lambda invoice: invoice.number == number))
        if not found:
            raise UnknownInvoice(number=number)
        return found[0]

    async def save(self, tx: Transaction, invoice: Invoice) -> None:
        """Store an invoice."""
        stored = memory_tx(tx).get("invoice", invoice.id)
        if isinstance(stored, Invoice) and not stored.is_draft:
            raise InvoiceIsFinalized(invoice_id=str(invoice.id))
        memory_tx(tx).put("invoice", invoice.id, invoice)

    async def list(self, tx: Transaction, limit: int, before: UUID | None) -> Sequence[InvoiceSummary]:
        """Return invoices, newest first."""
        return [invoice.summary for invoice in memory_tx(tx).newest("invoice", limit, before)]


class MemoryBillableUsage:
    """The port `BillableUsage`. Usage events never change, so a table beside theirs says which invoice each is on."""

    async def unbilled(self, tx: Transaction, until: datetime) -> Sequence[UsageTotal]:
        """Add up what is on no invoice."""
        return _totals(_unbilled(memory_tx(tx), until))

    async def claim(self, tx: Transaction, invoice_id: UUID, until: datetime) -> Sequence[UsageTotal]:
        """Put what is on no invoice on this one."""
        memory = memory_tx(tx)
        claimed = _unbilled(memory, until)
        for event in claimed:
            memory.put("usage_invoice", event.id, invoice_id)
        return _totals(claimed)

    async def events(self, tx: Transaction, invoice_id: UUID, limit: int, before: UUID | None) -> Sequence[UsageEvent]:
        """Return the calls of an invoice, newest first."""
        invoice_of = memory_tx(tx).look("usage_invoice")
        return memory_tx(tx).newest("usage_event", limit, before, lambda event: invoice_of.get(event.id) == invoice_id)


def _unbilled(memory: MemoryTransaction, until: datetime) -> list[UsageEvent]:
    billed = memory.look("usage_invoice")
    events: Iterable[UsageEvent] = memory.look("usage_event").values()
    return [event for event in events if event.id not in billed and event.occurred_at < until]


@rebuilds
def _totals(events: Iterable[UsageEvent]) -> list[UsageTotal]:
    alike: defaultdict[tuple[Month, str, UUID, int], list[UsageEvent]] = defaultdict(list)
    for event in events:
        alike[Month.of(event.occurred_at), event.model, event.price_id, event.price_tier].append(event)
    return [
        UsageTotal(
            *key,
            calls=len(group),
            quantities=sum((event.quantities for event in group), Quantities()),
            cost_picos=exactly(sum(event.cost_picos for event in group)),
        )
        for key, group in alike.items()
    ]
