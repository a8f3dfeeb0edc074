"""One batch of usage as the arguments of `omni_append_calls`."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import asyncpg
import msgspec

from omni_core.domain.budgets.api import Charge
from omni_core.domain.kernel.money import picos_text
from omni_core.domain.kernel.tenancy import TenantId
from omni_core.domain.metering.api import UsageEvent

APPEND = "select place, is_same from omni_append_calls($1, $2, $3, $4, $5, $6, $7)"

Line = tuple[UsageEvent, Sequence[Charge]]


def arguments(lines: Sequence[Line]) -> tuple[list[Any], list[int]]:
    """Return the arguments, and for each place among them (from 1) the index of its line (from 0)."""
    order, bounds = _by_tenant(lines)
    events = [_event_row(lines[index][0]) for index in order]
    charges: list[tuple[Any, ...]] = []
    first_charges, last_charges = [], []
    for first, last in zip(bounds[1], bounds[2], strict=True):
        first_charges.append(len(charges) + 1)
        for place in range(first, last + 1):
            charges.extend(
                (place, charge.pot.budget_id, charge.pot.period_start, charge.lease_id, str(charge.picos))
                for charge in lines[order[place - 1]][1]
            )
        last_charges.append(len(charges))
    return [*bounds, first_charges, last_charges, events, charges], order


def _by_tenant(lines: Sequence[Line]) -> tuple[list[int], tuple[list[TenantId], list[int], list[int]]]:
    """Put the lines in the order of their tenants' ids; return it, and each tenant's first and last place."""
    by_tenant: defaultdict[TenantId, list[int]] = defaultdict(list)
    for index, (event, _) in enumerate(lines):
        by_tenant[event.tenant_id].append(index)
    order: list[int] = []
    tenants, firsts, lasts = sorted(by_tenant), [], []
    for tenant_id in tenants:
        firsts.append(len(order) + 1)
        order += by_tenant[tenant_id]
        lasts.append(len(order))
    return order, (tenants, firsts, lasts)


def _event_row(event: UsageEvent) -> tuple[Any, ...]:
    return (
        event.id,
        event.idempotency_key,
        event.key_id,
        event.model,
        event.provider,
        event.status,
        *msgspec.structs.astuple(event.quantities),
        event.estimated,
        event.price_id,
        event.price_tier,
        picos_text(event.cost_picos),
        event.currency,
        event.latency_ms,
        event.request_id,
        event.occurred_at,
        event.estimate_reason,
    )


async def append(connection: asyncpg.Connection, lines: Sequence[Line], timeout_s: float) -> dict[int, bool]:
    """Commit the lines; return those whose key was there before, by index, and whether it was the very same event."""
    given, order = arguments(lines)
    seen = await connection.fetch(APPEND, *given, timeout=timeout_s)
    return {order[place - 1]: is_same for place, is_same in seen}
