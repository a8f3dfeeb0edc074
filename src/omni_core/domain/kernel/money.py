"""Money: integer minor units at the edges, exact integers of a far smaller unit inside.

Prices of tokens are fractions of a cent, so costs are carried unrounded as `Picos` (10⁻¹² of a major unit) and are
rounded exactly once, where an invoice line is made. A price may be finer than one of them for a token; then its costs
are fractions, no less exact. A float never carries money.
"""

import re
from collections.abc import Iterable
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Annotated, Self

import msgspec

from omni_core.domain.kernel.errors import InvalidValue
from omni_core.domain.kernel.stored import is_rebuilding

PICO_EXPONENT = 12
Picos = int | Fraction
"""An exact amount in 10⁻¹² of a major unit: an integer, or a fraction with up to `PICO_PLACES` decimal places."""
PICO_PLACES = 6
"""Twelve decimal places of a million tokens' price are 18 of one token's."""
# What anybody types lies between these, and within the 28 digits to which Decimal computes without rounding.
_TOO_LARGE = Decimal(10**15)
_FINEST = Decimal(1).scaleb(-PICO_EXPONENT)
_PLAIN = re.compile(r"[0-9]+(\.[0-9]+)?")
# Documented, not checked by decoders: `parse_decimal` refuses what is no amount, and says why.
_PATTERN = rf"^0*[0-9]{{1,15}}(\.[0-9]{{1,{PICO_EXPONENT}}}0*)?$"
AmountText = Annotated[str, msgspec.Meta(extra_json_schema={"pattern": _PATTERN})]

# ISO 4217 (list one, 2026) minor-unit exponents where they differ from 2, and the crypto units that processors quote.
_EXPONENTS = {
    **dict.fromkeys(
        (
            "BIF",
            "CLP",
            "DJF",
            "GNF",
            "ISK",
            "JPY",
            "KMF",
            "KRW",
            "PYG",
            "RWF",
            "UGX",
            "UYI",
            "VND",
            "VUV",
            "XAF",
            "XOF",
            "XPF",
        ),
        0,
    ),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
    **dict.fromkeys(
        (
            "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY "
            "COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF "
            "IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR "
            "MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG "
            "SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VES WST "
            "XCD XCG YER ZAR ZMW ZWG"
        ).split(),
        2,
    ),
    "BTC": 8,
    "ETH": 12,
    "USDC": 6,
    "USDT": 6,
}


class Rounding(StrEnum):
    """How an amount between two minor units becomes one of them; ties are what differs."""

    HALF_UP = "half_up"
    HALF_EVEN = "half_even"
    UP = "up"


def exponent_of(currency: str) -> int:
    """Return how many decimal places the minor unit of `currency` has; raise `InvalidValue` for an unknown one."""
    try:
        return _EXPONENTS[currency]
    except KeyError:
        raise InvalidValue(
            f"{currency!r} is not a currency that Omni knows", field="currency", allowed="an ISO 4217 code such as USD"
        ) from None


def parse_decimal(text: object, field: str) -> Decimal:
    """Read a decimal number that somebody typed, from 0 to below 10¹⁵ with up to 12 decimal places.

    Digits are 0 to 9, with a point between them and nothing else. Raises `InvalidValue` that names `field`.
    """
    # Decimal itself takes any script's digits, underscores, spaces and exponents: what a reader may take for another
    # amount, or for none.
    if not isinstance(text, str) or _PLAIN.fullmatch(text) is None:
        raise InvalidValue(f"{field} must be a decimal number in plain digits", field=field, allowed="e.g. 0.15")
    value = Decimal(text)
    if value >= _TOO_LARGE:
        raise InvalidValue(f"{field} must be a number from 0 to below 10^15", field=field, allowed="e.g. 0.15")
    if value != value.quantize(_FINEST):
        raise InvalidValue(
            f"{field} must have no more than {PICO_EXPONENT} decimal places",
            field=field,
            allowed=f"up to {PICO_EXPONENT} decimal places",
        )
    return value


class Money(msgspec.Struct, frozen=True):
    """An amount that can be paid: `minor` units (cents for USD) of `currency` (ISO 4217).

    A stored one may be of a currency that this release does not know, and so cannot say how many minor units make a
    major one: it is shown in minor units.
    """

    minor: int
    currency: str

    def __post_init__(self) -> None:
        if is_rebuilding():
            return
        exponent_of(self.currency)

    @classmethod
    def parse(cls, text: str, currency: str, field: str = "amount") -> Self:
        """Read a decimal amount in major units, such as `12.50`; raise `InvalidValue` if a minor unit is too coarse."""
        scaled = parse_decimal(text, field).scaleb(exponent_of(currency))
        if scaled != scaled.to_integral_value():
            raise InvalidValue(
                f"{field} has more decimal places than {currency} has",
                field=field,
                allowed=f"{exponent_of(currency)} places",
            )
        return cls(int(scaled), currency)

    @property
    def major(self) -> str | None:
        """The same amount in major units, such as `12.50`; None where this release does not know the currency."""
        places = _EXPONENTS.get(self.currency)
        return None if places is None else f"{Decimal(self.minor).scaleb(-places):f}"

    @property
    def picos(self) -> int:
        """The same amount in 10⁻¹² of a major unit; of a currency that this release does not know, `minor` itself."""
        return int(self.minor * 10 ** (PICO_EXPONENT - _EXPONENTS.get(self.currency, PICO_EXPONENT)))

    @classmethod
    def from_picos(cls, picos: int, currency: str) -> Self:
        """Return the amount whose `picos` these are; what is less than a minor unit is cut off."""
        return cls(picos // 10 ** (PICO_EXPONENT - _EXPONENTS.get(currency, PICO_EXPONENT)), currency)

    def __add__(self, other: "Money") -> "Money":
        if other.currency != self.currency:
            raise ValueError(f"cannot add {other.currency} to {self.currency}")
        return Money(self.minor + other.minor, self.currency)

    def __str__(self) -> str:
        return f"{self.major} {self.currency}" if self.major is not None else f"{self.minor} minor {self.currency}"


def total(amounts: Iterable[Money], currency: str) -> Money:
    """Add amounts of one currency; an empty sum is zero of `currency`."""
    result = Money(0, currency)
    for amount in amounts:
        result += amount
    return result


def exactly(amount: int | str | Decimal | Fraction) -> Picos:
    """Return an amount of picos without its value changed: as an integer wherever it is one."""
    if isinstance(amount, str):
        amount = Decimal(amount)
    whole = int(amount)
    return whole if whole == amount else Fraction(amount)


def whole_picos(picos: Picos) -> int:
    """Return the least whole number of picos that covers an amount: what budgets count."""
    return -int(-picos // 1)


def picos_text(picos: Picos) -> str:
    """Write an amount of picos as a decimal number, exactly: `150000`, `150000.000001`. For stores and programs."""
    if isinstance(picos, int):
        return str(picos)
    return _plain(int(picos * 10**PICO_PLACES), PICO_PLACES, at_least=0)


def round_picos(picos: Picos, currency: str, rounding: Rounding) -> Money:
    """Round an exact amount in 10⁻¹² of a major unit, `picos` ≥ 0, to minor units of `currency`."""
    unit = 10 ** (PICO_EXPONENT - exponent_of(currency))
    minor, rest = divmod(picos, unit)
    up = {
        Rounding.HALF_UP: 2 * rest >= unit,
        Rounding.HALF_EVEN: 2 * rest > unit or (2 * rest == unit and minor % 2 == 1),
        Rounding.UP: rest > 0,
    }[rounding]
    return Money(int(minor) + up, currency)


def format_picos(picos: Picos) -> str:
    """Write an exact amount in major units with every digit that matters and at least two places: `0.0003`, `12.50`."""
    return _plain(int(picos * 10**PICO_PLACES), PICO_EXPONENT + PICO_PLACES, at_least=2)


def _plain(digits: int, places: int, *, at_least: int) -> str:
    whole, fraction = divmod(abs(digits), 10**places)
    kept = f"{fraction:0{places}d}".rstrip("0").ljust(at_least, "0")
    return f"{'-' if digits < 0 else ''}{whole}{'.' if kept else ''}{kept}"
