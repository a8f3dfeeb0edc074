from datetime import UTC, datetime
from uuid import UUID

import msgspec
import pytest

from omni_core.domain.billing.errors import DoesNotAddUp, MixedCurrencies, PriceMissing
from omni_core.domain.billing.rating import UsageTotal, lines_of
from omni_core.domain.kernel.clock import Month
from omni_core.domain.kernel.money import Money
from omni_core.domain.metering.api import Meter, Quantities
from omni_core.domain.pricing.api import Price, Rates, Tier

NOVEMBER = Month(2026, 11)
# Hand-computed figures below rest on these: picos for one token are millionths of a dollar times a million.
SMALL = Price(
    id=UUID(int=1),
    model="small",
    currency="USD",
    effective_from=datetime(2026, 1, 1, tzinfo=UTC),
    tiers=(
        Tier(0, Rates.parse({"input": "0.15", "cached_input": "0.075", "output": "0.60"})),
        Tier(128_000, Rates.parse({"input": "0.30", "cached_input": "0.15", "output": "1.20"})),
    ),
)
LARGE = Price(
    id=UUID(int=2),
    model="large",
    currency="USD",
    effective_from=datetime(2026, 1, 1, tzinfo=UTC),
    tiers=(Tier(0, Rates.parse({"input": "2.50", "output": "10", "image": "0.04", "request": "0.005"})),),
)
PRICES = {price.id: price for price in (SMALL, LARGE)}


def total(price: Price, quantities: Quantities, tier: int = 0, month: Month = NOVEMBER, calls: int = 1) -> UsageTotal:
    rates = next(t.rates for t in price.tiers if t.above_input_tokens == tier)
    return UsageTotal(month, price.model, price.id, tier, calls, quantities, rates.cost(quantities))


def test_a_line_for_every_meter_with_the_figures_worked_out_by_hand():
    lines = lines_of(
        [total(SMALL, Quantities(input=1_234_567, cached_input=1_000, output=98_765), calls=42)], PRICES, "USD"
    )
    # 1,234,567 × $0.15/M = $0.18518505; 1,000 × $0.075/M = $0.000075; 98,765 × $0.60/M = $0.059259
    assert [(line.meter, line.quantity, line.unit_price_picos, line.exact_picos, line.amount) for line in lines] == [
        (Meter.INPUT, 1_234_567, 150_000, 185_185_050_000, Money(19, "USD")),
        (Meter.CACHED_INPUT, 1_000, 75_000, 75_000_000, Money(0, "USD")),
        (Meter.OUTPUT, 98_765, 600_000, 59_259_000_000, Money(6, "USD")),
    ]
    assert [line.position for line in lines] == [1, 2, 3]
    assert {line.calls for line in lines} == {42}


def test_pieces_are_billed_by_the_piece():
    lines = lines_of([total(LARGE, Quantities(image=3, request=2), calls=2)], PRICES, "USD")
    assert [(line.meter, line.amount) for line in lines] == [
        (Meter.IMAGE, Money(12, "USD")),
        (Meter.REQUEST, Money(1, "USD")),
    ]


def test_what_is_free_has_a_line_and_what_was_not_used_has_none():
    (line,) = lines_of([total(SMALL, Quantities(request=7))], PRICES, "USD")
    assert (line.meter, line.quantity, line.amount) == (Meter.REQUEST, 7, Money(0, "USD"))


def test_calls_that_used_nothing_make_no_line():
    assert lines_of([total(SMALL, Quantities())], PRICES, "USD") == ()
    assert lines_of([], PRICES, "USD") == ()


@pytest.mark.parametrize(
    "tokens, minor",
    [(33_333, 0), (33_334, 1), (100_000, 2), (166_666, 2), (166_667, 3), (300_000, 5)],
)
def test_half_a_cent_is_rounded_up(tokens, minor):
    # At $0.15/M a cent is 66,666.67 tokens; 100,000 tokens are exactly 1.5 cents and 300,000 are 4.5.
    (line,) = lines_of([total(SMALL, Quantities(input=tokens))], PRICES, "USD")
    assert line.amount == Money(minor, "USD")


def test_each_tier_price_and_month_has_lines_of_its_own_in_order():
    october = Month(2026, 10)
    lines = lines_of(
        [
            total(SMALL, Quantities(input=200_000), tier=128_000),
            total(SMALL, Quantities(input=1)),
            total(LARGE, Quantities(output=1)),
            total(SMALL, Quantities(input=5), month=october),
        ],
        PRICES,
        "USD",
    )
    assert [(line.position, line.usage_month, line.model, line.price_tier) for line in lines] == [
        (1, october, "small", 0),
        (2, NOVEMBER, "large", 0),
        (3, NOVEMBER, "small", 0),
        (4, NOVEMBER, "small", 128_000),
    ]
    assert lines[3].unit_price_picos == 300_000


def test_a_cost_that_differs_from_the_lines_is_not_billed():
    wrong = msgspec.structs.replace(total(SMALL, Quantities(input=10), calls=3), cost_picos=1_500_001)
    with pytest.raises(
        DoesNotAddUp, match=r"3 calls of small in 2026-11 cost 0\.000001500001, .* come to 0\.0000015"
    ) as raised:
        lines_of([wrong], PRICES, "USD")
    assert raised.value.fields["difference_picos"] == -1


@pytest.mark.parametrize("price_id, tier", [(UUID(int=9), 0), (SMALL.id, 1)])
def test_a_price_or_tier_that_nobody_knows_is_not_billed(price_id, tier):
    usage = UsageTotal(NOVEMBER, "small", price_id, tier, 1, Quantities(), 0)
    with pytest.raises(PriceMissing):
        lines_of([usage], PRICES, "USD")


def test_one_invoice_has_one_currency():
    with pytest.raises(MixedCurrencies) as raised:
        lines_of([total(SMALL, Quantities(input=1))], PRICES, "EUR")
    assert raised.value.fields == {"model": "small", "priced_in": "USD", "invoiced_in": "EUR"}
