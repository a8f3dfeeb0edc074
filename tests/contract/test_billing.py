from omni_core.adapters.memory.billing import MemoryBillableUsage, MemoryInvoiceStore
from omni_core.adapters.memory.metering import MemoryUsageLog
from omni_core.adapters.postgres.billable_usage import PostgresBillableUsage
from omni_core.adapters.postgres.billing import PostgresInvoiceStore
from omni_core.adapters.postgres.usage_log import PostgresUsageLog
from omni_core.testing.contracts.billing import BillableUsageContract, InvoiceStoreContract
from tests.support.backends import on_each


class TestInvoiceStore(InvoiceStoreContract):
    invoice_store = on_each(MemoryInvoiceStore, PostgresInvoiceStore)


class TestBillableUsage(BillableUsageContract):
    billable_usage = on_each(MemoryBillableUsage, PostgresBillableUsage)
    usage_log = on_each(MemoryUsageLog, PostgresUsageLog)
