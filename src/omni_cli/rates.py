"""Prices as they are typed on a command line."""

from collections.abc import Sequence
from typing import Annotated

import typer

from omni_cli.options import InvalidOption, option_words
from omni_core.domain.pricing.api import TierPrices

_PRICE_FORM = "input=0.15"
_TIER_FORM = "200000:input=0.30,output=1.20"

Prices = Annotated[
    list[str],
    typer.Option(
        "--price",
        metavar=_PRICE_FORM,
        help="Price of a meter, in major units of a million tokens, or of one image or request. Repeat it: input and "
        "output are wanted; cached_input, cache_write, audio_input, audio_output, image and request are for models "
        "that charge them.",
    ),
]
Tiers = Annotated[
    list[str] | None,
    typer.Option(
        "--tier",
        metavar=_TIER_FORM,
        help="Prices of calls with more input tokens than the number before the colon. Repeat it for further tiers.",
    ),
]


def parse_prices(texts: Sequence[str]) -> dict[str, str]:
    """Read the values of `--price`; raise `InvalidOption`."""
    prices: dict[str, str] = {}
    for text in texts:
        for meter, price in option_words(text, "--price", _PRICE_FORM):
            if meter in prices:
                raise InvalidOption(f"--price gives {meter} twice", field="--price", allowed="each meter once")
            prices[meter] = price
    return prices


def parse_tiers(texts: Sequence[str] | None) -> tuple[TierPrices, ...]:
    """Read the values of `--tier`; raise `InvalidOption`."""
    tiers = []
    for text in texts or ():
        above, separator, prices = text.partition(":")
        if not separator or not (above.isascii() and above.isdigit()) or len(above) > 9:
            raise InvalidOption(f"--tier {text!r} must look like {_TIER_FORM}", field="--tier", allowed=_TIER_FORM)
        tiers.append(TierPrices(int(above), dict(option_words(prices, "--tier", _TIER_FORM))))
    return tuple(tiers)
