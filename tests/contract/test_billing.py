from omni_core.testing.contracts.invoice_store import InvoiceStoreContract


class TestInvoiceStore(InvoiceStoreContract): ...
