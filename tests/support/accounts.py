"""A tenant that uses models and is billed for it, on any backend."""

from datetime import UTC, datetime

from omni_core.adapters.memory.billing import MemoryBillableUsage, MemoryInvoiceStore
from omni_core.adapters.memory.events import MemoryEventLog
from omni_core.adapters.memory.metering import MemoryUsageLog
from omni_core.adapters.memory.pricing import MemoryPriceStore
from omni_core.adapters.postgres.billable_usage import PostgresBillableUsage
from omni_core.adapters.postgres.billing import PostgresInvoiceStore
from omni_core.adapters.postgres.events import PostgresEventLog
from omni_core.adapters.postgres.pricing import PostgresPriceStore
from omni_core.adapters.postgres.usage_log import PostgresUsageLog
from omni_core.domain.billing.api import Billing, Invoice, Months
from omni_core.domain.billing.ports import PriceTable
from omni_core.domain.kernel.clock import Month
from omni_core.domain.kernel.pages import PageRequest
from omni_core.domain.kernel.tenancy import PLATFORM, Principal
from omni_core.domain.kernel.uow import Transaction, UnitsOfWork
from omni_core.domain.metering.api import UsageEvent
from omni_core.domain.pricing.api import Price
from omni_core.testing.builders.kernel import a_tenant_id
from omni_core.testing.builders.metering import a_call
from omni_core.testing.builders.tenancy import a_principal
from tests.support.backends import Backend


class Account:
    """The tenant, its caller with every scope, and the service that bills it."""

    def __init__(self, backend: Backend, price_table: PriceTable | None = None) -> None:
        self.backend = backend
        self.tenant_id = a_tenant_id()
        self.principal = a_principal(self.tenant_id)
        self.price_store = backend.adapter(MemoryPriceStore, PostgresPriceStore)
        self.usage_log = backend.adapter(MemoryUsageLog, PostgresUsageLog)
        self.event_log = backend.adapter(MemoryEventLog, PostgresEventLog)
        self.created_at = datetime(2020, 1, 1, tzinfo=UTC)
        self.billable_usage = backend.adapter(MemoryBillableUsage, PostgresBillableUsage)
        self.billing = Billing(
            UnitsOfWork(backend.uow, backend.uow),
            backend.adapter(MemoryInvoiceStore, PostgresInvoiceStore),
            self.billable_usage,
            price_table or self.price_store,
            Months(self, backend.clock),
            backend.ids,
            currency="USD",
        )

    async def get(self, tx: Transaction) -> "Account":
        """Return the tenant: billing's port `Customers`."""
        return self

    async def price(self, price: Price) -> Price:
        """Add a price to the table."""
        async with self.backend.uow(PLATFORM) as tx:
            await self.price_store.add(tx, price)
        return price

    async def call(self, price: Price, occurred_at: datetime, **given: object) -> UsageEvent:
        """Record a call."""
        call = a_call(self.tenant_id, price, occurred_at=occurred_at, **given)
        assert await self.usage_log.append(call)
        return call

    async def close(self, month: Month) -> Invoice:
        """Close a month whatever there is to bill, also one that still runs, as the operator."""
        return await self.billing.close(Principal.operator(self.tenant_id), month, early=True, empty=True)

    async def calls_on(self, invoice: Invoice) -> list[UsageEvent]:
        """Return every call behind an invoice, oldest first."""
        calls: list[UsageEvent] = []
        request = PageRequest(limit=500)
        while True:
            page = await self.billing.usage_of(self.principal, invoice.id, request)
            calls += page.items
            if page.next_cursor is None:
                return calls[::-1]
            request = PageRequest(limit=500, cursor=page.next_cursor)

    async def events(self) -> list[dict[str, object]]:
        """Return what is recorded of the tenant, oldest first."""
        async with self.backend.uow(self.tenant_id) as tx:
            page = await self.event_log.read(tx, PageRequest(limit=500))
        return [{"type": event.event_type, **event.data} for event in page.items]
