from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omni_core.domain.kernel.errors import Invalid
from omni_core.domain.kernel.money import exactly, format_picos, picos_text, whole_picos
from omni_core.domain.metering.api import Meter, Quantities
from omni_core.domain.pricing.api import Rates, Tier, format_rate
from omni_core.domain.pricing.errors import InvalidPrice
from omni_core.testing.builders.pricing import a_price

DOLLAR = 10**12
quantities = st.builds(Quantities, **{meter.value: st.integers(0, 10**7) for meter in Meter})
prices = st.decimals(0, 1000, places=12, allow_nan=False, allow_infinity=False).map(lambda price: f"{price:f}")
rates = st.builds(
    lambda required, others: Rates.parse({**required, **others}),
    st.fixed_dictionaries({"input": prices, "output": prices}),
    st.dictionaries(st.sampled_from([meter.value for meter in Meter]), prices),
)


def test_prices_are_of_a_million_tokens_or_of_a_piece():
    parsed = Rates.parse({"input": "2.50", "output": "10", "image": "0.04", "request": "0.005"})
    assert parsed.of(Meter.INPUT) * 1_000_000 == 2 * DOLLAR + DOLLAR // 2
    assert parsed.of(Meter.OUTPUT) * 1_000_000 == 10 * DOLLAR
    assert parsed.of(Meter.IMAGE) * 100 == 4 * DOLLAR
    assert parsed.of(Meter.REQUEST) * 1000 == 5 * DOLLAR


def test_a_meter_without_a_price_costs_what_it_is_a_kind_of():
    parsed = Rates.parse({"input": "2", "output": "8"})
    assert {meter.value: parsed.of(meter) for meter in Meter} == {
        "input": 2_000_000,
        "cached_input": 2_000_000,
        "cache_write": 2_000_000,
        "audio_input": 2_000_000,
        "output": 8_000_000,
        "audio_output": 8_000_000,
        "image": 0,
        "request": 0,
    }


def test_a_price_of_its_own_wins():
    parsed = Rates.parse(
        {"input": "2", "output": "8", "cached_input": "0.5", "cache_write": "2.5", "audio_output": "0"}
    )
    assert (parsed.cached_input, parsed.cache_write, parsed.audio_output) == (500_000, 2_500_000, 0)


@pytest.mark.parametrize(
    "wrong,field",
    [
        ({"output": "1"}, "prices.input"),
        ({"input": "1"}, "prices.output"),
        ({"input": "1", "output": "1", "tokens": "1"}, "prices.tokens"),
        ({"input": "0.0000000000001", "output": "1"}, "prices.input"),
        ({"input": "1", "output": "1", "cached_input": "0.1234567890123"}, "prices.cached_input"),
        ({"input": "-1", "output": "1"}, "prices.input"),
        ({"input": "1", "output": "cheap"}, "prices.output"),
        ({"input": "1", "output": "Infinity"}, "prices.output"),
        ({"input": "1", "output": "1", "image": "0.0000000000001"}, "prices.image"),
        ({"input": "1000000000000", "output": "1"}, "prices.input"),
        ({"input": "1", "output": "1", "request": "1000000"}, "prices.request"),
    ],
)
def test_a_wrong_price_is_named(wrong, field):
    with pytest.raises(Invalid) as raised:
        Rates.parse(wrong)
    assert raised.value.fields["field"] == field


@given(rates)
def test_a_rate_is_written_as_it_was_given(parsed):
    for meter in Meter:
        written = format_rate(parsed.of(meter), meter)
        assert Rates.parse({"input": "0", "output": "0", meter.value: written}).of(meter) == parsed.of(meter)
        assert "E" not in written


def test_a_cost_is_the_sum_over_the_meters():
    parsed = Rates(
        input=2, output=3, cached_input=5, cache_write=7, audio_input=11, audio_output=13, image=17, request=19
    )
    used = Quantities(input=1, output=10, cached_input=100, cache_write=1000, audio_input=10**4, image=10**6, request=1)
    assert parsed.cost(used) == 2 + 30 + 500 + 7000 + 110_000 + 17_000_000 + 19
    assert parsed.cost(Quantities(audio_output=2)) == 26


@given(rates, quantities, quantities)
def test_costs_of_parts_add_up(parsed, one, two):
    assert parsed.cost(one) + parsed.cost(two) == parsed.cost(one + two)
    assert parsed.cost(one) == sum(parsed.of(meter) * one.of(meter) for meter in Meter)


@pytest.mark.parametrize("length,above", [(0, 0), (1000, 0), (1001, 1000), (5000, 1000), (5001, 5000), (10**9, 5000)])
def test_a_tier_begins_above_its_length(length, above):
    dear = Rates.parse({"input": "5", "output": "5"})
    assert a_price(Tier(1000, dear), Tier(5000, dear)).tier_for(length).above_input_tokens == above


@pytest.mark.parametrize("lengths", [(), (1,), (0, 0), (0, 5, 5), (0, 5, 4), (-1, 0)])
def test_tiers_rise_from_nothing(lengths):
    cheap = Rates.parse({"input": "1", "output": "1"})
    with pytest.raises(InvalidPrice):
        a_price(tiers=tuple(Tier(length, cheap) for length in lengths))


@pytest.mark.parametrize("model", ["", "m" * 201, "a\0b", " padded"])
def test_a_price_names_a_model(model):
    with pytest.raises(InvalidPrice):
        a_price(model=model)


@given(st.lists(rates, min_size=1, max_size=3), quantities, st.data())
def test_no_call_costs_more_than_its_highest_cost(tiers, most, data):
    price = a_price(tiers=tuple(Tier(number * 10**6, parsed) for number, parsed in enumerate(tiers)))
    kinds = ("input", "cached_input", "cache_write", "audio_input")
    used_input = data.draw(st.integers(0, most.input_total))
    used = Quantities(
        **{data.draw(st.sampled_from(kinds)): used_input},
        **{data.draw(st.sampled_from(("output", "audio_output"))): data.draw(st.integers(0, most.output_total))},
        image=data.draw(st.integers(0, most.image)),
        request=data.draw(st.integers(0, most.request)),
    )
    assert price.tier_for(used.input_total).rates.cost(used) <= price.highest_cost(most)


def test_a_price_has_up_to_twelve_decimal_places():
    parsed = Rates.parse({"input": "0.000000000001", "output": "0.150000000001", "image": "0.000000000001"})
    assert parsed.of(Meter.INPUT) * 10**6 == 1
    assert parsed.of(Meter.OUTPUT) * 10**6 == 150_000_000_001
    assert parsed.of(Meter.IMAGE) == 1
    assert [format_rate(parsed.of(meter), meter) for meter in (Meter.INPUT, Meter.OUTPUT)] == [
        "0.000000000001",
        "0.150000000001",
    ]


def test_whole_picos_stay_integers():
    parsed = Rates.parse({"input": "0.15", "output": "0.000001000000"})
    assert {type(parsed.of(meter)) for meter in Meter} == {int}
    assert type(Rates.parse({"input": "0.0000005", "output": "1"}).cost(Quantities(input=2))) is int


@given(st.dictionaries(st.sampled_from([meter.value for meter in Meter]), prices), prices, prices, quantities)
def test_a_cost_is_exact_whatever_the_price(others, input_price, output_price, used):
    given_prices = {"input": input_price, "output": output_price, **others}
    cost = Rates.parse(given_prices).cost(used)
    fallbacks = {"cached_input": "input", "cache_write": "input", "audio_input": "input", "audio_output": "output"}
    exact = Fraction(0)
    for meter in Meter:
        price = given_prices.get(meter.value) or given_prices.get(fallbacks.get(meter.value, ""), "0")
        exact += used.of(meter) * Fraction(price) / (1 if meter in (Meter.IMAGE, Meter.REQUEST) else 10**6)
    assert Fraction(cost) == exact * DOLLAR
    assert Fraction(format_picos(cost)) == exact
    assert exactly(picos_text(cost)) == cost
    assert 0 <= whole_picos(cost) - cost < 1


def test_picos_are_exact_where_floats_are_not():
    parsed = Rates.parse({"input": "0.1", "output": "0.2"})
    cost = parsed.cost(Quantities(input=3, output=3))
    assert Decimal(format_picos(cost)) == Decimal("0.0000009")
