"""Prices, and what a call costs under them."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Self
from uuid import UUID

import msgspec
from msgspec import Meta

from omni_core.domain.kernel.described import described_line
from omni_core.domain.kernel.money import (
    PICO_EXPONENT,
    AmountText,
    Picos,
    exactly,
    exponent_of,
    parse_decimal,
    picos_text,
    whole_picos,
)
from omni_core.domain.kernel.stored import is_rebuilding
from omni_core.domain.metering.api import Meter, Quantities
from omni_core.domain.pricing.errors import InvalidPrice

_PER_MILLION = 6
_PER_PIECE = frozenset({Meter.IMAGE, Meter.REQUEST})
_PER_TOKEN = frozenset(Meter) - _PER_PIECE
# In picos for a token or a piece. Below it, every price that can be given has at most 24 digits.
_TOO_DEAR_EXPONENT = 18
_TOO_DEAR = 10**_TOO_DEAR_EXPONENT


def _described_rate(meter: Meter) -> dict[str, str]:
    digits = _TOO_DEAR_EXPONENT - PICO_EXPONENT + (0 if meter in _PER_PIECE else _PER_MILLION)
    pattern = rf"^0*[0-9]{{1,{digits}}}(\.[0-9]{{1,{PICO_EXPONENT}}}0*)?$"
    return {"type": "string", "pattern": pattern}


PriceTexts = Annotated[
    dict[str, AmountText],
    Meta(
        extra_json_schema={
            "properties": {meter.value: _described_rate(meter) for meter in Meter},
            "propertyNames": {"enum": [meter.value for meter in Meter]},
            "required": [Meter.INPUT.value, Meter.OUTPUT.value],
        }
    ),
]
# A meter without a price of its own costs what its tokens are a kind of; pieces without one are free.
_FALLBACKS = {
    Meter.CACHED_INPUT: Meter.INPUT,
    Meter.CACHE_WRITE: Meter.INPUT,
    Meter.AUDIO_INPUT: Meter.INPUT,
    Meter.AUDIO_OUTPUT: Meter.OUTPUT,
}


PricedModelText = Annotated[str, described_line(200)]


class Rates(msgspec.Struct, frozen=True):
    """The unit price of each meter, in 10⁻¹² of the major unit for one token or one piece.

    A price of tokens with more than 6 decimal places for a million is a fraction of that for one, and as exact.
    """

    input: Picos
    output: Picos
    cached_input: Picos
    cache_write: Picos
    audio_input: Picos
    audio_output: Picos
    image: Picos = 0
    request: Picos = 0

    @classmethod
    def parse(cls, prices: dict[str, str]) -> Self:
        """Read prices in major units: of a million tokens, or of one image or request.

        `input` and `output` are wanted; cached input, cache writes and audio default to them, image and request to 0.
        Raises `InvalidPrice` for an unknown meter, a missing one, or a price from 10⁶ for a token or a piece on, and
        `InvalidValue` for what is no decimal number or has more than 12 decimal places.
        """
        unknown = prices.keys() - set(Meter)
        missing = {Meter.INPUT.value, Meter.OUTPUT.value} - prices.keys()
        if unknown or missing:
            wrong = min(unknown or missing)
            raise InvalidPrice(
                f"{wrong!r} is {'not a meter' if unknown else 'missing'}",
                field=f"prices.{wrong}",
                allowed=[meter.value for meter in Meter],
            )
        rates = {meter: _parse_rate(text, meter) for meter, text in prices.items()}
        for meter, fallback in _FALLBACKS.items():
            rates.setdefault(meter.value, rates[fallback.value])
        return cls(**rates)

    def of(self, meter: Meter) -> Picos:
        """Return the unit price of one meter."""
        rate: Picos = getattr(self, meter)
        return rate

    def cost(self, quantities: Quantities) -> Picos:
        """Return Σ quantity × unit price, in 10⁻¹² of the major unit."""
        return exactly(
            quantities.input * self.input
            + quantities.output * self.output
            + quantities.cached_input * self.cached_input
            + quantities.cache_write * self.cache_write
            + quantities.audio_input * self.audio_input
            + quantities.audio_output * self.audio_output
            + quantities.image * self.image
            + quantities.request * self.request
        )


def _parse_rate(text: str, meter: str) -> Picos:
    field = f"prices.{meter}"
    shift = PICO_EXPONENT if meter in _PER_PIECE else PICO_EXPONENT - _PER_MILLION
    picos = exactly(parse_decimal(text, field).scaleb(shift))
    if picos >= _TOO_DEAR:
        most = f"below 10^{_TOO_DEAR_EXPONENT - shift}"
        raise InvalidPrice(f"{field} must be {most}", field=field, allowed=most)
    return picos


def format_rate(picos: Picos, meter: Meter) -> str:
    """Write a unit price as it was given: major units for a million tokens, or for one image or request.

    Of a meter that this release does not know, for one of whatever it counts.
    """
    shift = PICO_EXPONENT - _PER_MILLION if meter in _PER_TOKEN else PICO_EXPONENT
    return f"{Decimal(picos_text(picos)).scaleb(-shift).normalize():f}"


class Tier(msgspec.Struct, frozen=True):
    """Rates for whole calls whose input is longer than `above_input_tokens`."""

    above_input_tokens: int
    rates: Rates


class Price(msgspec.Struct, frozen=True):
    """What a model costs from `effective_from` on, until a later price takes over. Never changes."""

    id: UUID
    model: str
    currency: str
    effective_from: datetime
    tiers: tuple[Tier, ...]

    def __post_init__(self) -> None:
        if is_rebuilding():
            return
        exponent_of(self.currency)
        if not 1 <= len(self.model) <= 200 or not self.model.isprintable() or self.model != self.model.strip():
            raise InvalidPrice(
                "model must be a name of 1 to 200 characters", field="model", allowed="1 to 200 printable characters"
            )
        lengths = [tier.above_input_tokens for tier in self.tiers]
        if not lengths or lengths[0] != 0 or sorted(set(lengths)) != lengths:
            raise InvalidPrice(
                "tiers must begin at 0 input tokens and rise", field="tiers", allowed="0, then rising context lengths"
            )

    def tier_for(self, input_tokens: int) -> Tier:
        """Return the tier of a call with that much input."""
        chosen = self.tiers[0]
        for tier in self.tiers[1:]:
            if input_tokens > tier.above_input_tokens:
                chosen = tier
        return chosen

    def highest_cost(self, quantities: Quantities) -> int:
        """Return the most that a call of at most these quantities can cost, whichever kind of input its tokens are.

        In whole picos, rounded up, as budgets count.
        """
        reached = [tier for tier in self.tiers if tier.above_input_tokens <= quantities.input_total]
        return whole_picos(max(_highest(tier.rates, quantities) for tier in reached or self.tiers))


def _highest(rates: Rates, quantities: Quantities) -> Picos:
    dearest_input = max(rates.input, rates.cached_input, rates.cache_write, rates.audio_input)
    dearest_output = max(rates.output, rates.audio_output)
    return (
        quantities.input_total * dearest_input
        + quantities.output_total * dearest_output
        + quantities.image * rates.image
        + quantities.request * rates.request
    )
