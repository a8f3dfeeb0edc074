"""The face of pricing: what shells and other contexts may use of it."""

from omni_core.domain.pricing.model import Price, PriceTexts, Rates, Tier, format_rate
from omni_core.domain.pricing.ports import PriceStore
from omni_core.domain.pricing.service import PriceBook, Pricing, SetPrice, TierPrices

__all__ = [
    "Price",
    "PriceBook",
    "PriceStore",
    "PriceTexts",
    "Pricing",
    "Rates",
    "SetPrice",
    "Tier",
    "TierPrices",
    "format_rate",
]
