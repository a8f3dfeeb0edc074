from collections.abc import Sequence
from datetime import timedelta

import msgspec
import pytest

from omni_core.domain.billing.errors import (
    DoesNotAddUp,
    MixedCurrencies,
    MonthBeforeTenant,
    MonthNotBegun,
    MonthRuns,
    NothingToBill,
    PriceMissing,
    UnknownInvoice,
)
from omni_core.domain.billing.model import InvoiceStatus
from omni_core.domain.billing.ports import PriceTable
from omni_core.domain.kernel.clock import Month
from omni_core.domain.kernel.errors import InvalidValue, MissingScope
from omni_core.domain.kernel.money import Money
from omni_core.domain.kernel.pages import PageRequest
from omni_core.domain.kernel.tenancy import Principal, Scope
from omni_core.domain.kernel.uow import Transaction
from omni_core.domain.metering.api import Meter, Quantities
from omni_core.domain.pricing.api import Price
from omni_core.testing.builders.pricing import a_price
from omni_core.testing.builders.tenancy import a_principal
from tests.support.accounts import Account

OCTOBER, NOVEMBER, DECEMBER = Month(2026, 10), Month(2026, 11), Month(2026, 12)
IN_NOVEMBER = NOVEMBER.start + timedelta(days=3)


async def test_an_invoice_is_named_by_its_id_or_its_number(account, price):
    await account.call(price, IN_NOVEMBER)
    invoice = await account.close(NOVEMBER)
    for reference in (invoice.id, str(invoice.id), str(invoice.id).upper(), "INV-000001"):
        assert (await account.billing.get(account.principal, reference)).id == invoice.id
        assert (await account.billing.usage_of(account.principal, reference, PageRequest())).items
    for unknown in ("INV-000002", "INV-999999999999999999"):
        with pytest.raises(UnknownInvoice):
            await account.billing.get(account.principal, unknown)
    for neither in (
        "",
        "INV-1",
        "inv-000001",
        "INV-00000\0",
        "INV-\u0660\u0660\u0660\u0660\u0660\u0661",
        "000001",
        str(invoice.id)[:-1],
    ):
        with pytest.raises(InvalidValue) as refused:
            await account.billing.get(account.principal, neither)
        assert refused.value.fields["field"] == "invoice_id"


async def test_the_invoice_has_the_figures_worked_out_by_hand(account, price):
    used = Quantities(input=1_000_003, cached_input=2_000, output=5_000)
    calls = [await account.call(price, IN_NOVEMBER, quantities=used) for _ in range(3)]
    invoice = await account.close(NOVEMBER)
    # 3,000,009 × $2.50/M = $7.5000225; 6,000 × $1.25/M = $0.0075; 15,000 × $10/M = $0.15
    assert [(line.meter, line.calls, line.quantity, line.exact_picos, line.amount.minor) for line in invoice.lines] == [
        (Meter.INPUT, 3, 3_000_009, 7_500_022_500_000, 750),
        (Meter.CACHED_INPUT, 3, 6_000, 7_500_000_000, 1),
        (Meter.OUTPUT, 3, 15_000, 150_000_000_000, 15),
    ]
    assert invoice.total == Money(766, "USD")
    assert (invoice.number, invoice.status) == ("INV-000001", InvoiceStatus.FINALIZED)
    assert invoice.finalized_at == account.backend.clock.now()
    assert await account.calls_on(invoice) == calls


async def test_closing_twice_yields_the_same_invoice_and_one_event(account, price):
    await account.call(price, IN_NOVEMBER)
    first = await account.close(NOVEMBER)
    account.backend.clock.advance(60)
    assert await account.close(NOVEMBER) == first
    assert await account.billing.get(account.principal, first.id) == first
    assert await account.events() == [
        {
            "type": "billing.invoice_finalized",
            "invoice_id": str(first.id),
            "number": "INV-000001",
            "month": "2026-11",
            "total_minor": first.total.minor,
            "currency": "USD",
        }
    ]


async def test_a_late_call_goes_to_the_next_invoice_under_its_own_month(account, price):
    on_time = await account.call(price, IN_NOVEMBER)
    november = await account.close(NOVEMBER)
    late = await account.call(price, IN_NOVEMBER)
    in_december = await account.call(price, DECEMBER.start)
    assert await account.close(NOVEMBER) == november
    december = await account.close(DECEMBER)
    assert december.number == "INV-000002"
    assert {line.usage_month for line in december.lines} == {NOVEMBER, DECEMBER}
    assert await account.calls_on(november) == [on_time]
    assert await account.calls_on(december) == [late, in_december]


async def test_what_follows_in_a_month_that_was_closed_early_goes_to_the_next(account, price):
    before = await account.call(price, DECEMBER.start)
    december = await account.close(DECEMBER)
    after = await account.call(price, DECEMBER.start + timedelta(days=5))
    account.backend.clock.advance(timedelta(days=31))
    assert await account.calls_on(december) == [before]
    assert await account.calls_on(await account.close(DECEMBER.next())) == [after]


async def test_the_first_microsecond_of_a_month_is_its_own(account, price):
    last = await account.call(price, DECEMBER.start - timedelta(microseconds=1))
    await account.call(price, DECEMBER.start)
    assert await account.calls_on(await account.close(NOVEMBER)) == [last]


async def test_a_month_closed_after_a_later_one_finds_its_usage_billed(account, price):
    call = await account.call(price, OCTOBER.start)
    november, october = await account.close(NOVEMBER), await account.close(OCTOBER)
    assert await account.calls_on(november) == [call]
    assert (october.number, october.lines) == ("INV-000002", ())


async def test_a_month_without_usage_has_no_invoice_unless_it_may_be_empty(account, price):
    with pytest.raises(NothingToBill) as raised:
        await account.billing.close(account.principal, NOVEMBER)
    assert raised.value.fields == {"month": "2026-11"}
    assert (await account.billing.list(account.principal, PageRequest())).items == ()
    empty = await account.billing.close(account.principal, NOVEMBER, empty=True)
    assert (empty.number, empty.lines, empty.total) == ("INV-000001", (), Money(0, "USD"))
    # Once it is issued, it is what closing the month returns.
    assert await account.billing.close(account.principal, NOVEMBER) == empty


async def test_a_month_whose_usage_is_all_invoiced_has_no_invoice(account, price):
    await account.call(price, OCTOBER.start)
    await account.close(NOVEMBER)
    with pytest.raises(NothingToBill):
        await account.billing.close(account.principal, OCTOBER)


async def test_usage_that_was_free_of_charge_is_invoiced(account):
    free = await account.price(a_price(model="free", prices={"input": "0", "output": "0"}))
    await account.call(free, IN_NOVEMBER)
    assert (await account.billing.close(account.principal, NOVEMBER)).total == Money(0, "USD")


async def test_a_month_that_runs_is_closed_by_the_operator_alone_who_says_so(account, price):
    await account.call(price, DECEMBER.start)
    operator = Principal.operator(account.tenant_id)
    for caller in (account.principal, operator):
        with pytest.raises(MonthRuns) as raised:
            await account.billing.close(caller, DECEMBER)
        assert raised.value.fields == {"month": "2026-12", "ends_at": "2027-01-01T00:00:00+00:00"}
    with pytest.raises(MissingScope):
        await account.billing.close(account.principal, DECEMBER, early=True)
    assert (await account.billing.list(account.principal, PageRequest())).items == ()
    december = await account.billing.close(operator, DECEMBER, early=True)
    # To close it again issues nothing, so anybody may.
    assert await account.billing.close(account.principal, DECEMBER) == december


async def test_a_month_is_over_with_its_last_moment(account, price):
    await account.call(price, DECEMBER.start)
    account.backend.clock.advance_to(DECEMBER.end - timedelta(microseconds=1))
    with pytest.raises(MonthRuns):
        await account.billing.close(account.principal, DECEMBER)
    account.backend.clock.advance(timedelta(microseconds=1))
    assert (await account.billing.close(account.principal, DECEMBER)).month == DECEMBER


async def test_a_month_before_the_tenant_was_there_is_not_billed(account, price):
    account.created_at = NOVEMBER.start
    for use_case in (account.billing.close, account.billing.draft, account.billing.preview):
        with pytest.raises(MonthBeforeTenant) as raised:
            await use_case(account.principal, OCTOBER)
        assert raised.value.fields["allowed"] == "a month from 2026-11 on"
    with pytest.raises(MonthBeforeTenant):
        await account.billing.close(account.principal, OCTOBER, empty=True)
    account.created_at = OCTOBER.end - timedelta(microseconds=1)
    assert (await account.billing.preview(account.principal, OCTOBER)).lines == ()


async def test_usage_from_before_the_tenant_was_there_is_billed(account, price):
    account.created_at = NOVEMBER.start
    call = await account.call(price, OCTOBER.start)
    assert await account.calls_on(await account.billing.close(account.principal, OCTOBER)) == [call]


async def test_a_month_that_has_not_begun_is_not_billed(account):
    for use_case in (account.billing.close, account.billing.draft, account.billing.preview):
        with pytest.raises(MonthNotBegun) as raised:
            await use_case(account.principal, DECEMBER.next())
        assert raised.value.fields["allowed"] == "a month up to 2026-12"


@pytest.mark.parametrize("scope", [Scope.BILLING_READ, Scope.USAGE_WRITE])
async def test_closing_needs_its_scope(account, scope):
    reader = a_principal(account.tenant_id, scope)
    with pytest.raises(MissingScope):
        await account.billing.close(reader, NOVEMBER)
    assert (await account.billing.list(account.principal, PageRequest())).items == ()


async def test_what_does_not_add_up_is_not_issued_and_claims_nothing(account, price):
    wrong = await account.call(price, IN_NOVEMBER, cost_picos=1)
    with pytest.raises(DoesNotAddUp):
        await account.close(NOVEMBER)
    assert (await account.billing.list(account.principal, PageRequest())).items == ()
    assert await account.events() == []
    async with account.backend.uow(account.tenant_id) as tx:
        (unbilled,) = await account.billable_usage.unbilled(tx, NOVEMBER.end)
    assert unbilled.cost_picos == wrong.cost_picos


async def test_usage_in_another_currency_stops_the_close(account):
    euros = await account.price(a_price(currency="EUR"))
    await account.call(euros, IN_NOVEMBER)
    with pytest.raises(MixedCurrencies):
        await account.close(NOVEMBER)


class TableReadTooEarly:
    """A price table as it was before the last price, the first `times` that it is read."""

    def __init__(self, store: PriceTable, times: int) -> None:
        self.store = store
        self.times = times

    async def list(self, tx: Transaction) -> Sequence[Price]:
        self.times -= 1
        return [] if self.times >= 0 else await self.store.list(tx)


async def test_a_price_that_was_set_and_used_since_the_table_was_read_is_found(account, price):
    hurried = Account(account.backend, TableReadTooEarly(account.price_store, times=1))
    call = await hurried.call(price, IN_NOVEMBER)
    assert await hurried.calls_on(await hurried.close(NOVEMBER)) == [call]


async def test_a_price_that_is_gone_stops_the_close(account):
    await account.call(a_price(), IN_NOVEMBER)
    with pytest.raises(PriceMissing):
        await account.close(NOVEMBER)
    assert (await account.billing.list(account.principal, PageRequest())).items == ()


async def test_progress_is_told_while_no_transaction_is_open(account, price):
    await account.call(price, IN_NOVEMBER)
    told = []

    async def progress(done, total, message):
        async with account.backend.uow(account.tenant_id):
            told.append((done, total, message))

    await account.billing.close(account.principal, NOVEMBER, progress)
    assert told == [
        (0, 2, "reading prices"),
        (1, 2, "adding up the usage until the end of 2026-11"),
        (2, 2, "issued INV-000001"),
    ]


async def test_many_small_lines_are_each_off_by_half_a_cent_at_most(account):
    prices = [await account.price(a_price(prices={"input": "0.15", "output": "0.60"})) for _ in range(20)]
    for number, price in enumerate(prices):
        await account.call(price, IN_NOVEMBER, quantities=Quantities(input=10_000 * number, output=1))
    invoice = await account.close(NOVEMBER)
    assert len(invoice.lines) == 39
    assert all(abs(line.amount.picos - line.exact_picos) * 2 <= 10**10 for line in invoice.lines)
    assert invoice.total.minor == sum(line.amount.minor for line in invoice.lines)
    assert msgspec.json.decode(msgspec.json.encode(invoice))["total"] == {
        "minor": invoice.total.minor,
        "currency": "USD",
    }
