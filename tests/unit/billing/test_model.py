from datetime import UTC, datetime
from uuid import UUID

import msgspec
import pytest

from omni_core.domain.billing.errors import InvoiceIsFinalized
from omni_core.domain.billing.events import InvoiceFinalized
from omni_core.domain.billing.model import Invoice, InvoiceLine, InvoiceStatus, format_number
from omni_core.domain.kernel.clock import Month
from omni_core.domain.kernel.money import Money
from omni_core.domain.kernel.tenancy import TenantId
from omni_core.domain.metering.api import Meter

NOVEMBER = Month(2026, 11)
ID = UUID(int=1)
TENANT = TenantId(UUID(int=2))
BEGUN = datetime(2026, 12, 1, tzinfo=UTC)
CLOSED = datetime(2026, 12, 2, tzinfo=UTC)
LINE = InvoiceLine(
    position=1,
    usage_month=NOVEMBER,
    model="small",
    meter=Meter.INPUT,
    price_id=UUID(int=3),
    price_tier=0,
    calls=2,
    quantity=100_000,
    unit_price_picos=150_000,
    exact_picos=15_000_000_000,
    amount=Money(2, "USD"),
)


def a_draft() -> Invoice:
    return Invoice.draft(ID, TENANT, NOVEMBER, "USD", BEGUN)


def test_a_draft_begins_empty_and_without_a_number():
    draft = a_draft()
    assert (draft.status, draft.number, draft.lines, draft.total) == (InvoiceStatus.DRAFT, None, (), Money(0, "USD"))


def test_the_total_is_that_of_the_lines_and_a_draft_can_be_billed_again():
    draft = a_draft()
    draft.bill([LINE, msgspec.structs.replace(LINE, position=2, amount=Money(5, "USD"))])
    assert draft.total == Money(7, "USD")
    draft.bill([LINE])
    assert (draft.lines, draft.total) == ((LINE,), Money(2, "USD"))


def test_a_line_in_another_currency_leaves_the_draft_as_it_was():
    draft = a_draft()
    draft.bill([LINE])
    with pytest.raises(ValueError, match="EUR"):
        draft.bill([msgspec.structs.replace(LINE, amount=Money(2, "EUR"))])
    assert (draft.lines, draft.total) == ((LINE,), Money(2, "USD"))


def test_finalizing_gives_the_number_and_tells():
    invoice = a_draft()
    invoice.bill([LINE])
    assert invoice.finalize(7, CLOSED) == [InvoiceFinalized(ID, "INV-000007", "2026-11", 2, "USD")]
    assert invoice.is_finalized
    assert (invoice.number, invoice.finalized_at) == ("INV-000007", CLOSED)


def test_a_finalized_invoice_changes_no_more():
    invoice = a_draft()
    invoice.finalize(1, CLOSED)
    with pytest.raises(InvoiceIsFinalized) as raised:
        invoice.bill([LINE])
    assert raised.value.fields == {"invoice_id": str(ID), "number": "INV-000001"}
    with pytest.raises(InvoiceIsFinalized):
        invoice.finalize(2, CLOSED)
    assert (invoice.number, invoice.total) == ("INV-000001", Money(0, "USD"))


@pytest.mark.parametrize(
    "status, number, finalized_at",
    [
        (InvoiceStatus.DRAFT, "INV-000001", CLOSED),
        (InvoiceStatus.FINALIZED, None, CLOSED),
        (InvoiceStatus.FINALIZED, "INV-000001", None),
    ],
)
def test_a_number_and_a_time_of_issue_come_with_being_finalized(status, number, finalized_at):
    with pytest.raises(ValueError, match="exactly when it is finalized"):
        Invoice(ID, TENANT, NOVEMBER, "USD", status, number, (), Money(0, "USD"), BEGUN, finalized_at)


def test_a_total_that_is_not_the_sum_of_the_lines_cannot_be_built():
    with pytest.raises(ValueError, match="sum of its lines"):
        Invoice(ID, TENANT, NOVEMBER, "USD", InvoiceStatus.DRAFT, None, (LINE,), Money(3, "USD"), BEGUN, None)


def test_a_line_whose_exact_amount_is_not_the_product_cannot_be_built():
    with pytest.raises(ValueError, match="quantity × unit_price_picos"):
        msgspec.structs.replace(LINE, exact_picos=1)


def test_numbers_grow_longer_when_they_must():
    assert [format_number(n) for n in (1, 999_999, 1_000_000)] == ["INV-000001", "INV-999999", "INV-1000000"]
