"""Prices."""

from typing import Any

from omni_core.domain.pricing.api import Price, Rates, Tier
from omni_core.testing.builders.kernel import an_id
from omni_core.testing.clock import NOON


def a_price(*dearer: Tier, prices: dict[str, str] | None = None, **given: Any) -> Price:
    """Return a price of a model of its own: $2.50 for a million input tokens, $10 for output, or major units as given.

    `dearer` are the tiers above the first; `given` are fields of `Price`.
    """
    price_id = an_id()
    rates = Rates.parse(prices or {"input": "2.50", "cached_input": "1.25", "output": "10"})
    return Price(
        **{
            "id": price_id,
            "model": f"model-{price_id.hex}",
            "currency": "USD",
            "effective_from": NOON.replace(month=1),
            "tiers": (Tier(0, rates), *dearer),
            **given,
        }
    )
