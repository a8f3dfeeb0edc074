"""Usage over the wire: costs in major units, exactly."""

from datetime import datetime
from uuid import UUID

import msgspec

from omni_core.domain.metering.api import Quantities, UsageEvent, UsageSum
from omni_http.amounts import Cost


class UsageSumView(msgspec.Struct, frozen=True):
    """Usage of one group, added up."""

    group: dict[str, str]
    calls: int
    quantities: Quantities
    cost: Cost

    @classmethod
    def of(cls, usage: UsageSum) -> "UsageSumView":
        """Return a sum for the wire."""
        return cls(usage.group, usage.calls, usage.quantities, Cost.of(usage.cost_picos, usage.currency))


class UsageEventView(msgspec.Struct, frozen=True):
    """One call."""

    id: UUID
    occurred_at: datetime
    model: str
    provider: str
    status: str
    key_id: UUID | None
    quantities: Quantities
    estimated: bool
    estimate_reason: str | None
    cost: Cost
    price_id: UUID
    price_tier: int
    latency_ms: int
    request_id: str

    @classmethod
    def of(cls, event: UsageEvent) -> "UsageEventView":
        """Return a call for the wire."""
        return cls(
            id=event.id,
            occurred_at=event.occurred_at,
            model=event.model,
            provider=event.provider,
            status=event.status,
            key_id=event.key_id,
            quantities=event.quantities,
            estimated=event.estimated,
            estimate_reason=event.estimate_reason,
            cost=Cost.of(event.cost_picos, event.currency),
            price_id=event.price_id,
            price_tier=event.price_tier,
            latency_ms=event.latency_ms,
            request_id=event.request_id,
        )
