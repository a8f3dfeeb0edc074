from omni_core.testing.contracts.billable_usage import BillableUsageContract
from omni_core.testing.contracts.invoice_store import InvoiceStoreContract


class TestInvoiceStore(InvoiceStoreContract): ...


class TestBillableUsage(BillableUsageContract): ...
