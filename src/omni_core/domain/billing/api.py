"""The face of billing: what shells and other contexts may use of it."""

from omni_core.domain.billing.model import REFERENCE_PATTERN, Invoice, InvoiceLine, InvoiceStatus, InvoiceSummary
from omni_core.domain.billing.months import Months
from omni_core.domain.billing.service import Billing, Progress

__all__ = [
    "REFERENCE_PATTERN",
    "Billing",
    "Invoice",
    "InvoiceLine",
    "InvoiceStatus",
    "InvoiceSummary",
    "Months",
    "Progress",
]
