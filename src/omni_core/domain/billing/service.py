"""Invoices: the use cases."""

from collections.abc import Awaitable, Callable, Mapping
from uuid import UUID

from omni_core.domain.billing.errors import PriceMissing
from omni_core.domain.billing.model import Invoice, InvoiceSummary, parse_reference
from omni_core.domain.billing.months import Months
from omni_core.domain.billing.ports import BillableUsage, InvoiceStore, PriceTable
from omni_core.domain.billing.rating import lines_of
from omni_core.domain.kernel.clock import Month
from omni_core.domain.kernel.ids import Ids
from omni_core.domain.kernel.pages import Page, PageRequest, page_of
from omni_core.domain.kernel.tenancy import PLATFORM, Principal, Scope, TenantId
from omni_core.domain.kernel.uow import Transaction, UnitsOfWork
from omni_core.domain.metering.api import UsageEvent
from omni_core.domain.pricing.api import Price

Progress = Callable[[int, int, str], Awaitable[None]]
"""Told how many steps of how many are done, and what is being done now. Called while no transaction is open."""
_Prices = Mapping[UUID, Price]


async def _silent(done: int, of: int, message: str) -> None:
    """Tell nobody."""


class Billing:
    """The invoices of a tenant."""

    def __init__(
        self,
        uows: UnitsOfWork,
        store: InvoiceStore,
        usage: BillableUsage,
        prices: PriceTable,
        months: Months,
        ids: Ids,
        *,
        currency: str,
    ) -> None:
        self._uow, self._reports = uows
        self._store = store
        self._usage = usage
        self._prices = prices
        self._months = months
        self._ids = ids
        self._currency = currency

    async def close(
        self,
        principal: Principal,
        month: Month,
        progress: Progress = _silent,
        *,
        early: bool = False,
        empty: bool = False,
    ) -> Invoice:
        """Issue the invoice of a month (billing:write); a second time returns the one that was issued.

        It claims all usage that occurred before the month's end and is on no invoice; a call that is recorded later
        goes to the next invoice. `early` closes a month that still runs, which only the operator may
        (platform:admin); `empty` issues an invoice of 0 where there is nothing to bill.

        Raises `MonthNotBegun`, `MonthRuns`, `MonthBeforeTenant`, `NothingToBill`, `MixedCurrencies`, `PriceMissing`,
        `DoesNotAddUp` or `UnknownStatus`, and then nothing has changed.
        """
        principal.require(Scope.BILLING_WRITE)
        if early:
            principal.require(Scope.PLATFORM_ADMIN)
        self._months.check_begun(month)
        await progress(0, 2, "reading prices")

        async def issue(prices: _Prices) -> Invoice:
            await progress(1, 2, f"adding up the usage until the end of {month}")
            return await self._issue(principal.tenant_id, month, prices, early=early, empty=empty)

        invoice = await self._with_prices(issue)
        await progress(2, 2, f"issued {invoice.number}")
        return invoice

    async def draft(self, principal: Principal, month: Month) -> Invoice:
        """Store what `close` would issue now, or bring the stored draft up to date (billing:write).

        A draft claims no usage and has no number; its id stays when it is finalized. It may be of a month that runs,
        or without lines. Raises else as `close` does, and `InvoiceIsFinalized` for a month that is closed.
        """
        principal.require(Scope.BILLING_WRITE)
        self._months.check_begun(month)

        async def store(prices: _Prices) -> Invoice:
            async with self._uow(principal.tenant_id) as tx:
                await self._store.lock(tx)
                invoice = await self._invoice(tx, month)
                await self._bill_unclaimed(tx, invoice, prices)
                await self._store.save(tx, invoice)
            return invoice

        return await self._with_prices(store)

    async def preview(self, principal: Principal, month: Month) -> Invoice:
        """Return what `close` would return now, and store nothing (billing:read); raises as `draft` does.

        Of a month that is closed it is the invoice.
        """
        principal.require(Scope.BILLING_READ)
        self._months.check_begun(month)

        async def compute(prices: _Prices) -> Invoice:
            async with self._reports(principal.tenant_id) as tx:
                invoice = await self._invoice(tx, month)
                if not invoice.is_finalized:
                    await self._bill_unclaimed(tx, invoice, prices)
            return invoice

        return await self._with_prices(compute)

    async def get(self, principal: Principal, invoice_id: UUID | str) -> Invoice:
        """Return an invoice, by its id or its number, with its lines (billing:read).

        Raises `UnknownInvoice`, or `InvalidValue` for a text that is neither.
        """
        principal.require(Scope.BILLING_READ)
        async with self._uow(principal.tenant_id) as tx:
            return await self._named(tx, invoice_id)

    async def list(self, principal: Principal, page: PageRequest) -> Page[InvoiceSummary]:
        """Return the tenant's invoices without their lines, newest first (billing:read)."""
        principal.require(Scope.BILLING_READ)
        async with self._uow(principal.tenant_id) as tx:
            rows = await self._store.list(tx, page.limit + 1, page.after)
        return page_of(rows, page.limit, lambda summary: summary.id)

    async def usage_of(self, principal: Principal, invoice_id: UUID | str, page: PageRequest) -> Page[UsageEvent]:
        """Return the calls that a finalized invoice bills, newest first (billing:read); raise as `get` does.

        A draft has claimed none yet.
        """
        principal.require(Scope.BILLING_READ)
        async with self._uow(principal.tenant_id) as tx:
            invoice = await self._named(tx, invoice_id)
            rows = await self._usage.events(tx, invoice.id, page.limit + 1, page.after)
        return page_of(rows, page.limit, lambda event: event.id)

    async def _issue(self, tenant_id: TenantId, month: Month, prices: _Prices, *, early: bool, empty: bool) -> Invoice:
        async with self._uow(tenant_id) as tx:
            await self._store.lock(tx)
            invoice = await self._invoice(tx, month)
            if not invoice.is_finalized:
                if not early:
                    self._months.check_over(month)
                totals = await self._usage.claim(tx, invoice.id, month.end)
                if not totals:
                    await self._months.check_may_be_empty(tx, month, empty=empty)
                invoice.bill(lines_of(totals, prices, invoice.currency))
                events = invoice.finalize(await self._store.next_number(tx), self._months.now())
                await self._store.save(tx, invoice)
                await tx.record(*events)
        return invoice

    async def _bill_unclaimed(self, tx: Transaction, invoice: Invoice, prices: _Prices) -> None:
        totals = await self._usage.unbilled(tx, invoice.month.end)
        if not totals:
            await self._months.check_may_be_empty(tx, invoice.month, empty=True)
        invoice.bill(lines_of(totals, prices, invoice.currency))

    async def _named(self, tx: Transaction, reference: UUID | str) -> Invoice:
        named = parse_reference(reference) if isinstance(reference, str) else reference
        return await (self._store.get(tx, named) if isinstance(named, UUID) else self._store.numbered(tx, named))

    async def _invoice(self, tx: Transaction, month: Month) -> Invoice:
        stored = await self._store.of_month(tx, month)
        if stored is not None:
            stored.check_known()
        return stored or Invoice.draft(self._ids.new(), tx.tenant_id, month, self._currency, self._months.now())

    async def _with_prices(self, bill: Callable[[_Prices], Awaitable[Invoice]]) -> Invoice:
        """Run `bill` with the price table, which is another tenant's and so is read in a transaction of its own.

        A price that is set after that, and used at once, is found when the table is read again.
        """
        try:
            return await bill(await self._price_table())
        except PriceMissing:
            return await bill(await self._price_table())

    async def _price_table(self) -> _Prices:
        async with self._uow(PLATFORM) as tx:
            return {price.id: price for price in await self._prices.list(tx)}
