from decimal import Decimal
from fractions import Fraction

import pytest

from omni_core.domain.kernel.errors import InvalidValue
from omni_core.domain.kernel.money import (
    Money,
    Rounding,
    exactly,
    exponent_of,
    format_picos,
    parse_decimal,
    picos_text,
    round_picos,
    total,
    whole_picos,
)

CENT = 10**10


@pytest.mark.parametrize(
    "currency,places", [("USD", 2), ("EUR", 2), ("JPY", 0), ("KWD", 3), ("CLF", 4), ("BTC", 8), ("USDC", 6)]
)
def test_each_currency_has_its_own_minor_unit(currency, places):
    assert exponent_of(currency) == places


@pytest.mark.parametrize("currency", ["", "usd", "XXX", "DEM", "US"])
def test_an_unknown_currency_is_refused_by_name(currency):
    with pytest.raises(InvalidValue) as refused:
        Money(1, currency)
    assert refused.value.fields["field"] == "currency"


@pytest.mark.parametrize(
    "text,currency,minor",
    [
        ("12.50", "USD", 1250),
        ("12.5", "USD", 1250),
        ("0", "USD", 0),
        ("100", "JPY", 100),
        ("1.234", "KWD", 1234),
        ("0.00000001", "BTC", 1),
        ("00012.50", "USD", 1250),
        ("999999999999999.99", "USD", 99_999_999_999_999_999),
    ],
)
def test_money_is_read_in_major_units(text, currency, minor):
    assert Money.parse(text, currency) == Money(minor, currency)


@pytest.mark.parametrize(
    "text,currency",
    [
        ("12.505", "USD"),
        ("1.5", "JPY"),
        ("-1", "USD"),
        ("NaN", "USD"),
        ("Infinity", "USD"),
        ("", "USD"),
        ("12,50", "USD"),
        ("1e2", "USD"),
        ("1E-1", "USD"),
        ("1_000", "USD"),
        ("+1", "USD"),
        (" 1", "USD"),
        ("1\n", "USD"),
        (".5", "USD"),
        ("5.", "USD"),
        ("١٢", "USD"),
        ("\uff11\uff12", "USD"),
        ("1000000000000000", "USD"),
        ("10000000000000000000000000000.001", "USD"),
    ],
)
def test_what_is_no_amount_of_the_currency_is_refused_by_field(text, currency):
    with pytest.raises(InvalidValue) as refused:
        Money.parse(text, currency, "limit")
    assert refused.value.fields["field"] == "limit"


@pytest.mark.parametrize("amount", [100, 12.5, True, None, b"12"])
def test_an_amount_is_text(amount):
    with pytest.raises(InvalidValue) as refused:
        Money.parse(amount, "USD", "limit")
    assert refused.value.fields["field"] == "limit"


def test_a_decimal_keeps_every_digit_that_was_typed():
    assert str(parse_decimal("123456789012345.123456789012", "price")) == "123456789012345.123456789012"


@pytest.mark.parametrize(
    "money,text",
    [
        (Money(1250, "USD"), "12.50 USD"),
        (Money(0, "USD"), "0.00 USD"),
        (Money(5, "USD"), "0.05 USD"),
        (Money(100, "JPY"), "100 JPY"),
        (Money(-5, "KWD"), "-0.005 KWD"),
    ],
)
def test_money_is_written_with_all_places_of_its_currency(money, text):
    assert str(money) == text


def test_money_adds_within_its_currency():
    assert total([Money(1, "EUR"), Money(2, "EUR")], "EUR") == Money(3, "EUR")
    assert total([], "EUR") == Money(0, "EUR")


def test_currencies_do_not_mix():
    with pytest.raises(ValueError, match="cannot add USD to EUR"):
        total([Money(1, "USD")], "EUR")


def test_money_in_picos():
    assert Money(1, "USD").picos == CENT
    assert Money(1, "JPY").picos == 10**12
    assert Money(1, "ETH").picos == 1


@pytest.mark.parametrize(
    "picos,half_up,half_even,up",
    [
        (0, 0, 0, 0),
        (1, 0, 0, 1),
        (CENT // 2 - 1, 0, 0, 1),
        (CENT // 2, 1, 0, 1),
        (CENT // 2 + 1, 1, 1, 1),
        (CENT, 1, 1, 1),
        (CENT * 3 // 2, 2, 2, 2),
        (CENT * 5 // 2, 3, 2, 3),
    ],
)
def test_rounding_differs_at_ties_only_as_its_name_says(picos, half_up, half_even, up):
    assert round_picos(picos, "USD", Rounding.HALF_UP).minor == half_up
    assert round_picos(picos, "USD", Rounding.HALF_EVEN).minor == half_even
    assert round_picos(picos, "USD", Rounding.UP).minor == up


def test_the_minor_unit_of_the_currency_is_what_it_rounds_to():
    assert round_picos(1_499_999_999_999, "JPY", Rounding.HALF_UP) == Money(1, "JPY")
    assert round_picos(1_234_500_000, "KWD", Rounding.HALF_UP) == Money(1, "KWD")


@pytest.mark.parametrize(
    "picos,text",
    [
        (0, "0.00"),
        (12_500_000_000_000, "12.50"),
        (300_000_000, "0.0003"),
        (1, "0.000000000001"),
        (1_000_000_000_000_000, "1000.00"),
        (Fraction(1, 10**6), "0.000000000000000001"),
        (150_000 + Fraction(25, 10**2), "0.00000015000025"),
        (-7, "-0.000000000007"),
    ],
)
def test_exact_amounts_are_written_with_every_digit_that_matters(picos, text):
    assert format_picos(picos) == text


@pytest.mark.parametrize(
    "picos,text,whole",
    [
        (150_000, "150000", 150_000),
        (Fraction(1, 10**6), "0.000001", 1),
        (150_000 + Fraction(25, 10**2), "150000.25", 150_001),
        (0, "0", 0),
        (10**30 + Fraction(1, 2), f"{10**30}.5", 10**30 + 1),
    ],
)
def test_parts_of_a_pico_are_kept(picos, text, whole):
    assert picos_text(picos) == text
    assert exactly(text) == exactly(Decimal(text)) == picos
    assert whole_picos(picos) == whole


def test_what_is_whole_is_an_integer():
    for amount in (7, "7", "7.000000", Decimal("7.0"), Fraction(14, 2)):
        assert (exactly(amount), type(exactly(amount))) == (7, int)


def test_half_of_the_least_part_is_rounded_like_any_half():
    cent = 10**10
    assert round_picos(cent // 2 - Fraction(1, 10**6), "USD", Rounding.HALF_UP) == Money(0, "USD")
    assert round_picos(Fraction(cent, 2), "USD", Rounding.HALF_UP) == Money(1, "USD")
    assert round_picos(Fraction(1, 10**6), "USD", Rounding.UP) == Money(1, "USD")
