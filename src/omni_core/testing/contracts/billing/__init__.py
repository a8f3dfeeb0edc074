"""What every adapter of billing's ports does."""

from omni_core.testing.contracts.billing.billable_usage import BillableUsageContract
from omni_core.testing.contracts.billing.invoice_store import InvoiceStoreContract

__all__ = ["BillableUsageContract", "InvoiceStoreContract"]
