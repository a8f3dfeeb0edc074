"""Sample calls of last month: usage of a month that is over, so that it can be looked at and closed.

They are marked by the name of their model, which stands beside each of them wherever usage and invoices are shown.
"""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from omni_core.adapters.system import SystemIds
from omni_core.domain.kernel.clock import Month
from omni_core.domain.kernel.pages import MAX_LIMIT, PageRequest
from omni_core.domain.kernel.tenancy import OPERATOR, Principal
from omni_core.domain.llm.catalogue import BUILT_IN_PROVIDER
from omni_core.domain.metering.api import CallStatus, Quantities, UsageEvent, UsageQuery
from omni_core.domain.pricing.api import Price

if TYPE_CHECKING:
    from omni_core.bootstrap.omni import Omni

PRICED_AS: Final = "omni-brain"
MODEL: Final = f"{PRICED_AS} (sample)"
_TOKENS: Final = ((131, 42), (124, 20), (127, 15), (902, 88), (2_310, 64), (640, 31))
"""Input and output of each call; they are four days apart."""


async def record_last_month(omni: "Omni", operator: Principal, now: datetime) -> None:
    """Record the calls, unless last month has usage or an invoice; a second time changes nothing."""
    month = Month.of(Month.of(now).start - timedelta(days=1))
    used = await omni.metering.events(operator, UsageQuery(month.start, month.end), PageRequest(limit=1))
    invoices = await omni.billing.list(operator, PageRequest(MAX_LIMIT))
    prices = await omni.pricing.list(OPERATOR, PRICED_AS)
    if used.items or not prices or any(invoice.month == month for invoice in invoices.items):
        return
    for number, (tokens_in, tokens_out) in enumerate(_TOKENS):
        quantities = Quantities(input=tokens_in, output=tokens_out, request=1)
        moment = month.start + timedelta(days=4 * number, hours=9)
        await omni.usage_log.append(_call(operator, f"sample-{month}-{number}", quantities, prices[-1], moment))


def _call(operator: Principal, name: str, quantities: Quantities, price: Price, moment: datetime) -> UsageEvent:
    tier = price.tier_for(quantities.input_total)
    return UsageEvent(
        id=SystemIds().new(),
        tenant_id=operator.tenant_id,
        idempotency_key=name,
        key_id=None,
        model=MODEL,
        provider=BUILT_IN_PROVIDER,
        status=CallStatus.COMPLETED,
        quantities=quantities,
        estimated=False,
        price_id=price.id,
        price_tier=tier.above_input_tokens,
        cost_picos=tier.rates.cost(quantities),
        currency=price.currency,
        latency_ms=2,
        request_id=name,
        occurred_at=moment,
    )
