"""Prices over the wire: as they were given, in major units."""

from datetime import datetime
from uuid import UUID

import msgspec

from omni_core.domain.metering.api import Meter
from omni_core.domain.pricing.api import Price, Rates, format_rate


class TierView(msgspec.Struct, frozen=True):
    """Prices of calls with more input than `above_input_tokens`: of a million tokens, or of one image or request."""

    above_input_tokens: int
    prices: dict[str, str]


class PriceView(msgspec.Struct, frozen=True):
    """What a model costs from `effective_from` on, until a later price takes over."""

    id: UUID
    model: str
    currency: str
    effective_from: datetime
    tiers: list[TierView]

    @classmethod
    def of(cls, price: Price) -> "PriceView":
        """Return a price for the wire."""
        tiers = [TierView(tier.above_input_tokens, _prices(tier.rates)) for tier in price.tiers]
        return cls(price.id, price.model, price.currency, price.effective_from, tiers)


def _prices(rates: Rates) -> dict[str, str]:
    return {meter.value: format_rate(rates.of(meter), meter) for meter in Meter}
