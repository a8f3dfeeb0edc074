"""What every InvoiceStore does."""

import asyncio
from typing import Any

import msgspec
import pytest

from omni_core.domain.billing.errors import InvoiceIsFinalized, UnknownInvoice
from omni_core.domain.billing.model import Invoice, InvoiceLine, InvoiceStatus
from omni_core.domain.billing.ports import InvoiceStore
from omni_core.domain.billing.rating import UsageTotal, lines_of
from omni_core.domain.kernel.clock import Month
from omni_core.domain.kernel.ids import Ids
from omni_core.domain.kernel.money import Money
from omni_core.domain.kernel.stored import rebuilds
from omni_core.domain.kernel.tenancy import TenantId
from omni_core.domain.kernel.uow import UnitOfWork
from omni_core.domain.metering.api import Meter, Quantities
from omni_core.testing.builders.kernel import a_tenant_id, unheard_of
from omni_core.testing.builders.pricing import a_price
from omni_core.testing.clock import NOON

NOVEMBER = Month(2026, 11)
PATIENCE_S = 10.0
# So much that its picos are more than 64 bits hold.
_HUGE = Quantities(**dict.fromkeys(Meter, 10**12))


class InvoiceStoreContract:
    """Fixtures: `invoice_store`, a `uow` of the same technology, and `ids`."""

    async def test_a_draft_and_then_the_finalized_invoice_come_back_as_they_went_in(
        self, uow: UnitOfWork, invoice_store: InvoiceStore, ids: Ids
    ) -> None:
        invoice = a_draft(ids)
        for change in (
            lambda: None,
            lambda: invoice.bill(some_lines(NOVEMBER, Month(2026, 10))),
            lambda: invoice.bill(some_lines(NOVEMBER)),
            lambda: invoice.finalize(1, NOON),
        ):
            change()
            await save(uow, invoice_store, invoice)
            async with uow(invoice.tenant_id) as tx:
                assert await invoice_store.get(tx, invoice.id) == invoice
                assert await invoice_store.of_month(tx, NOVEMBER) == invoice
                assert await invoice_store.of_month(tx, Month(2026, 10)) is None

    async def test_a_finalized_invoice_is_not_stored_again(
        self, uow: UnitOfWork, invoice_store: InvoiceStore, ids: Ids
    ) -> None:
        finalized = a_draft(ids)
        finalized.bill(some_lines(NOVEMBER))
        finalized.finalize(1, NOON)
        await save(uow, invoice_store, finalized)
        changed = a_draft(ids, id=finalized.id, tenant_id=finalized.tenant_id)
        with pytest.raises(InvoiceIsFinalized):
            await save(uow, invoice_store, changed)
        async with uow(finalized.tenant_id) as tx:
            assert await invoice_store.get(tx, finalized.id) == finalized

    async def test_what_is_rolled_back_was_never_there(
        self, uow: UnitOfWork, invoice_store: InvoiceStore, ids: Ids
    ) -> None:
        invoice = a_draft(ids)
        await save(uow, invoice_store, invoice)

        async def fail() -> None:
            async with uow(invoice.tenant_id) as tx:
                invoice.bill(some_lines(NOVEMBER))
                await invoice_store.save(tx, invoice)
                raise RuntimeError("no")

        with pytest.raises(RuntimeError, match="no"):
            await fail()
        async with uow(invoice.tenant_id) as tx:
            assert (await invoice_store.get(tx, invoice.id)).lines == ()

    async def test_numbers_follow_one_another_and_one_rolled_back_is_given_again(
        self, uow: UnitOfWork, invoice_store: InvoiceStore
    ) -> None:
        tenant_id = a_tenant_id()

        async def fail() -> None:
            async with uow(tenant_id) as tx:
                await invoice_store.lock(tx)
                assert await invoice_store.next_number(tx) == 2
                raise RuntimeError("no")

        assert await next_number(uow, invoice_store, tenant_id) == 1
        with pytest.raises(RuntimeError, match="no"):
            await fail()
        assert await next_number(uow, invoice_store, tenant_id) == 2
        assert await next_number(uow, invoice_store, a_tenant_id()) == 1

    async def test_whoever_locks_second_waits_and_sees_what_the_first_did(
        self, uow: UnitOfWork, invoice_store: InvoiceStore
    ) -> None:
        tenant_id = a_tenant_id()

        async def take() -> int:
            async with uow(tenant_id) as tx:
                await invoice_store.lock(tx)
                await asyncio.sleep(0)
                return await invoice_store.next_number(tx)

        async with asyncio.timeout(PATIENCE_S):
            assert sorted(await asyncio.gather(*(take() for _ in range(8)))) == list(range(1, 9))

    async def test_invoices_are_listed_from_the_newest_in_pages(
        self, uow: UnitOfWork, invoice_store: InvoiceStore, ids: Ids
    ) -> None:
        tenant_id = a_tenant_id()
        months = [Month(2026, 9), Month(2026, 10), NOVEMBER]
        invoices = [a_draft(ids, tenant_id=tenant_id, month=month) for month in months]
        invoices[0].bill(some_lines(months[0]))
        invoices[0].finalize(1, NOON)
        for invoice in invoices:
            await save(uow, invoice_store, invoice)
        async with uow(tenant_id) as tx:
            first = await invoice_store.list(tx, 2, None)
            rest = await invoice_store.list(tx, 2, first[-1].id)
        assert len(first) == 2
        assert [*first, *rest] == [invoice.summary for invoice in reversed(invoices)]

    async def test_a_tenants_transaction_reaches_no_other_tenant(
        self, uow: UnitOfWork, invoice_store: InvoiceStore, ids: Ids
    ) -> None:
        theirs = a_draft(ids)
        await save(uow, invoice_store, theirs)
        async with uow(a_tenant_id()) as tx:
            assert list(await invoice_store.list(tx, 10, None)) == []
            assert await invoice_store.of_month(tx, NOVEMBER) is None
            with pytest.raises(UnknownInvoice):
                await invoice_store.get(tx, theirs.id)

    async def test_an_invoice_is_found_by_its_number_within_its_tenant(
        self, uow: UnitOfWork, invoice_store: InvoiceStore, ids: Ids
    ) -> None:
        draft = a_draft(ids)
        draft.finalize(1, NOON)
        await save(uow, invoice_store, draft)
        async with uow(draft.tenant_id) as tx:
            assert (await invoice_store.numbered(tx, "INV-000001")).id == draft.id
            with pytest.raises(UnknownInvoice):
                await invoice_store.numbered(tx, "INV-000002")
        async with uow(a_tenant_id()) as tx:
            with pytest.raises(UnknownInvoice):
                await invoice_store.numbered(tx, "INV-000001")

    async def test_a_draft_of_another_release_is_read_and_repaired(
        self, uow: UnitOfWork, invoice_store: InvoiceStore, ids: Ids
    ) -> None:
        draft = rebuilds(a_draft_of_another_release)(ids, InvoiceStatus.DRAFT)
        await save(uow, invoice_store, draft)
        async with uow(draft.tenant_id) as tx:
            assert await invoice_store.get(tx, draft.id) == draft
            assert list(await invoice_store.list(tx, 10, None)) == [draft.summary]
        repaired = a_draft(ids, id=draft.id, tenant_id=draft.tenant_id)
        repaired.bill(some_lines(NOVEMBER))
        await save(uow, invoice_store, repaired)
        async with uow(draft.tenant_id) as tx:
            assert await invoice_store.get(tx, draft.id) == repaired

    async def test_an_invoice_whose_status_only_another_release_knows_is_read_and_left_as_it_is(
        self, uow: UnitOfWork, invoice_store: InvoiceStore, ids: Ids
    ) -> None:
        invoice = rebuilds(a_draft_of_another_release)(ids, unheard_of(InvoiceStatus))
        await save(uow, invoice_store, invoice)
        with pytest.raises(InvoiceIsFinalized):
            await save(uow, invoice_store, a_draft(ids, id=invoice.id, tenant_id=invoice.tenant_id))
        async with uow(invoice.tenant_id) as tx:
            assert await invoice_store.of_month(tx, NOVEMBER) == invoice


def a_draft(ids: Ids, **given: Any) -> Invoice:
    """Return an empty draft of November for a tenant of its own; `given` are arguments of `Invoice.draft`."""
    arguments = {"id": ids.new(), "tenant_id": a_tenant_id(), "month": NOVEMBER, "currency": "USD", "now": NOON}
    return Invoice.draft(**{**arguments, **given})


def a_draft_of_another_release(ids: Ids, status: InvoiceStatus) -> Invoice:
    """Return an invoice whose total is not its lines', in a currency and a meter that nobody knows; for `rebuilds`."""
    invoice = a_draft(ids, currency="XYZ")
    line = some_lines(NOVEMBER)[0]
    odd = msgspec.structs.replace(line, meter=unheard_of(Meter), amount=Money(line.amount.minor, "XYZ"))
    invoice.lines, invoice.total, invoice.status = (odd,), Money(7, "XYZ"), status
    return invoice


def some_lines(*months: Month) -> tuple[InvoiceLine, ...]:
    """Return a line of each meter for each month, on an amount that is more picos than 64 bits hold."""
    finest = {"cached_input": "0.000000000001", "cache_write": "9.999999999999"}
    price = a_price(prices={"input": "2.50", "output": "10", "image": "0.04", "request": "0.000000000001", **finest})
    cost = price.tiers[0].rates.cost(_HUGE)
    totals = [UsageTotal(month, price.model, price.id, 0, 3, _HUGE, cost) for month in months]
    return lines_of(totals, {price.id: price}, "USD")


async def save(uow: UnitOfWork, invoice_store: InvoiceStore, invoice: Invoice) -> None:
    """Commit an invoice, under the lock."""
    async with uow(invoice.tenant_id) as tx:
        await invoice_store.lock(tx)
        await invoice_store.save(tx, invoice)


async def next_number(uow: UnitOfWork, invoice_store: InvoiceStore, tenant_id: TenantId) -> int:
    """Take a number and commit."""
    async with uow(tenant_id) as tx:
        await invoice_store.lock(tx)
        return await invoice_store.next_number(tx)
