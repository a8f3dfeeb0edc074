"""Prices, and calls that cost what they say under them."""

from typing import Any

from omni_core.domain.kernel.tenancy import TenantId
from omni_core.domain.metering.api import CallStatus, Quantities, UsageEvent
from omni_core.domain.pricing.api import Price, Rates, Tier
from omni_core.testing.clock import NOON
from omni_core.testing.ids import SequentialIds

_ids = SequentialIds.unlike_others()
USED = Quantities(input=1000, cached_input=200, output=300, request=1)


def a_price(*dearer: Tier, prices: dict[str, str] | None = None, **given: Any) -> Price:
    """Return a price of a model of its own: $2.50 for a million input tokens, $10 for output, or major units as given.

    `dearer` are the tiers above the first; `given` are fields of `Price`.
    """
    price_id = _ids.new()
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


def a_call(tenant_id: TenantId, price: Price, **given: Any) -> UsageEvent:
    """Return a completed call at `NOON`, with the tier and cost that `price` has for its quantities.

    `given` are fields of `UsageEvent`.
    """
    call_id = _ids.new()
    quantities: Quantities = given.get("quantities", USED)
    tier = price.tier_for(quantities.input_total)
    return UsageEvent(
        **{
            "id": call_id,
            "tenant_id": tenant_id,
            "idempotency_key": f"call-{call_id}",
            "key_id": None,
            "model": price.model,
            "provider": "fake",
            "status": CallStatus.COMPLETED,
            "quantities": quantities,
            "estimated": False,
            "price_id": price.id,
            "price_tier": tier.above_input_tokens,
            "cost_picos": tier.rates.cost(quantities),
            "currency": price.currency,
            "latency_ms": 40,
            "request_id": f"request-{call_id}",
            "occurred_at": NOON,
            **given,
        }
    )
