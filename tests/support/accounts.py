"""A tenant that uses models and is billed for it, on any backend."""

from datetime import datetime

from omni_core.domain.billing.api import Billing, Invoice
from omni_core.domain.billing.ports import PriceTable
from omni_core.domain.kernel.clock import Month
from omni_core.domain.kernel.pages import PageRequest
from omni_core.domain.kernel.tenancy import PLATFORM
from omni_core.domain.metering.api import UsageEvent
from omni_core.domain.pricing.api import Price
from omni_core.testing.builders import a_principal, a_tenant_id
from omni_core.testing.priced_usage import a_call
from tests.support.backends import Backend


class Account:
    """The tenant, its caller with every scope, and the service that bills it."""

    def __init__(self, backend: Backend, price_table: PriceTable | None = None) -> None:
        self.backend = backend
        self.tenant_id = a_tenant_id()
        self.principal = a_principal(self.tenant_id)
        self.billing = Billing(
            backend.uow,
            backend.invoice_store,
            backend.billable_usage,
            price_table or backend.price_store,
            backend.clock,
            backend.ids,
            currency="USD",
        )

    async def price(self, price: Price) -> Price:
        """Add a price to the table."""
        async with self.backend.uow(PLATFORM) as tx:
            await self.backend.price_store.add(tx, price)
        return price

    async def call(self, price: Price, occurred_at: datetime, **given: object) -> UsageEvent:
        """Record a call."""
        call = a_call(self.tenant_id, price, occurred_at=occurred_at, **given)
        assert await self.backend.usage_log.append(call)
        return call

    async def close(self, month: Month) -> Invoice:
        return await self.billing.close(self.principal, month)

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
            page = await self.backend.event_log.read(tx, PageRequest(limit=500))
        return [{"type": event.event_type, **event.data} for event in page.items]
