"""What happened to invoices."""

from typing import ClassVar
from uuid import UUID

from omni_core.domain.kernel.events import Event


class InvoiceFinalized(Event, frozen=True):
    """An invoice was issued. `month` is YYYY-MM, `total_minor` counts minor units of `currency`."""

    event_type: ClassVar[str] = "billing.invoice_finalized"
    aggregate: ClassVar[str] = "invoice_id"
    invoice_id: UUID
    number: str
    month: str
    total_minor: int
    currency: str
