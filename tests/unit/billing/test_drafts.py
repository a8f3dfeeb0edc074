from datetime import timedelta

import pytest

from omni_core.domain.billing.errors import InvoiceIsFinalized, UnknownInvoice
from omni_core.domain.billing.model import InvoiceStatus
from omni_core.domain.kernel.clock import Month
from omni_core.domain.kernel.errors import MissingScope
from omni_core.domain.kernel.money import Money
from omni_core.domain.kernel.pages import PageRequest
from omni_core.domain.kernel.tenancy import Scope
from omni_core.domain.metering.api import Quantities
from omni_core.testing.builders.tenancy import a_principal
from tests.support.accounts import Account

NOVEMBER = Month(2026, 11)
IN_NOVEMBER = NOVEMBER.start + timedelta(days=3)
A_CENT = Quantities(output=1000)


async def test_a_preview_shows_what_a_close_would_issue_and_stores_nothing(account, price):
    await account.call(price, IN_NOVEMBER)
    reader = a_principal(account.tenant_id, Scope.BILLING_READ)
    preview = await account.billing.preview(reader, NOVEMBER)
    assert (preview.status, preview.number, preview.finalized_at) == (InvoiceStatus.DRAFT, None, None)
    assert (await account.billing.list(reader, PageRequest())).items == ()
    with pytest.raises(UnknownInvoice):
        await account.billing.get(reader, preview.id)
    closed = await account.close(NOVEMBER)
    assert (closed.lines, closed.total) == (preview.lines, preview.total)


async def test_a_preview_of_a_closed_month_is_its_invoice(account, price):
    await account.call(price, IN_NOVEMBER)
    closed = await account.close(NOVEMBER)
    await account.call(price, IN_NOVEMBER)
    assert await account.billing.preview(account.principal, NOVEMBER) == closed


async def test_a_draft_is_kept_brought_up_to_date_and_finalized_under_its_id(account, price):
    await account.call(price, IN_NOVEMBER, quantities=A_CENT)
    draft = await account.billing.draft(account.principal, NOVEMBER)
    assert await account.billing.get(account.principal, draft.id) == draft
    assert draft.total == Money(1, "USD")
    assert await account.calls_on(draft) == []
    await account.call(price, IN_NOVEMBER, quantities=A_CENT)
    again = await account.billing.draft(account.principal, NOVEMBER)
    assert (again.id, again.total) == (draft.id, Money(2, "USD"))
    await account.call(price, IN_NOVEMBER, quantities=A_CENT)
    closed = await account.close(NOVEMBER)
    assert (closed.id, closed.created_at, closed.total) == (draft.id, draft.created_at, Money(3, "USD"))
    assert [summary.id for summary in (await account.billing.list(account.principal, PageRequest())).items] == [
        draft.id
    ]


async def test_a_draft_takes_no_number(account):
    await account.billing.draft(account.principal, NOVEMBER)
    assert (await account.close(Month(2026, 10))).number == "INV-000001"
    assert (await account.close(NOVEMBER)).number == "INV-000002"


async def test_a_closed_month_takes_no_draft(account):
    await account.close(NOVEMBER)
    with pytest.raises(InvoiceIsFinalized):
        await account.billing.draft(account.principal, NOVEMBER)


async def test_reading_and_writing_need_their_scopes(account):
    invoice = await account.close(NOVEMBER)
    billing, page = account.billing, PageRequest()
    reader = a_principal(account.tenant_id, Scope.BILLING_READ)
    writer = a_principal(account.tenant_id, Scope.BILLING_WRITE)
    with pytest.raises(MissingScope):
        await billing.draft(reader, NOVEMBER)
    for reading in (
        billing.preview(writer, NOVEMBER),
        billing.get(writer, invoice.id),
        billing.list(writer, page),
        billing.usage_of(writer, invoice.id, page),
    ):
        with pytest.raises(MissingScope):
            await reading


async def test_another_tenants_invoice_is_unknown(account, price):
    await account.call(price, IN_NOVEMBER)
    invoice = await account.close(NOVEMBER)
    stranger = Account(account.backend)
    for stolen in (
        stranger.billing.get(stranger.principal, invoice.id),
        stranger.billing.usage_of(stranger.principal, invoice.id, PageRequest()),
    ):
        with pytest.raises(UnknownInvoice):
            await stolen
    assert (await stranger.billing.list(stranger.principal, PageRequest())).items == ()
    assert (await stranger.close(NOVEMBER)).lines == ()


async def test_invoices_and_their_calls_come_in_pages(account, price):
    calls = [await account.call(price, IN_NOVEMBER) for _ in range(3)]
    invoice = await account.close(NOVEMBER)
    await account.close(Month(2026, 12))
    first = await account.billing.usage_of(account.principal, invoice.id, PageRequest(limit=2))
    rest = await account.billing.usage_of(account.principal, invoice.id, PageRequest(2, first.next_cursor))
    assert [*first.items, *rest.items] == calls[::-1]
    assert rest.next_cursor is None
    newest = await account.billing.list(account.principal, PageRequest(limit=1))
    oldest = await account.billing.list(account.principal, PageRequest(1, newest.next_cursor))
    assert [one.number for one in (*newest.items, *oldest.items)] == ["INV-000002", "INV-000001"]
    assert oldest.items[0] == invoice.summary
