"""Calls that cost what they say."""

from typing import Any

from omni_core.domain.kernel.tenancy import TenantId
from omni_core.domain.metering.api import CallStatus, EstimateReason, Quantities, UsageEvent
from omni_core.domain.pricing.api import Price
from omni_core.testing.builders.kernel import a_tenant_id, an_id, unheard_of
from omni_core.testing.builders.pricing import a_price
from omni_core.testing.clock import NOON

USED = Quantities(input=1000, cached_input=200, output=300, request=1)


def a_call(tenant_id: TenantId, price: Price, **given: Any) -> UsageEvent:
    """Return a completed call at `NOON`, with the tier and cost that `price` has for its quantities.

    `given` are fields of `UsageEvent`.
    """
    call_id = an_id()
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


def a_call_of_another_release(tenant_id: TenantId | None = None) -> UsageEvent:
    """Return a call that this release would refuse, of a tenant of its own unless one is named; for `rebuilds`."""
    price = a_price()
    odd = {"status": unheard_of(CallStatus), "quantities": Quantities(input=-5), "currency": "XYZ", "cost_picos": -7}
    odd |= {"estimated": True, "estimate_reason": unheard_of(EstimateReason)}
    return a_call(tenant_id or a_tenant_id(), price, idempotency_key="", **odd)
