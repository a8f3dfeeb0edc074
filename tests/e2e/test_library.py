"""The same path without a server: a program that imports `omni_core`, on memory adapters."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from omni_core import (
    OPERATOR,
    AddModel,
    AddProvider,
    CreateTenant,
    Month,
    Omni,
    PageRequest,
    Principal,
    SetBudget,
    UsageQuery,
    Window,
)
from omni_core.domain.billing.api import Invoice
from omni_core.testing.upstream import FakeUpstream, Script
from tests.support.installation import MODELS
from tests.support.metered_calls import CALLS, CENTS, COST, COUNT, LINES, KnownCall

NOW = datetime.now(UTC)
QUERY = UsageQuery(NOW - timedelta(days=1), NOW + timedelta(days=1))


@pytest.fixture
async def upstream() -> AsyncIterator[FakeUpstream]:
    async with FakeUpstream() as upstream:
        yield upstream


@pytest.fixture
async def omni(upstream: FakeUpstream) -> AsyncIterator[Omni]:
    async with Omni.open(memory=True) as omni:
        await omni.catalogue.add_provider(OPERATOR, AddProvider("fake", "openai", upstream.url))
        await omni.catalogue.add_provider(OPERATOR, AddProvider("claude", "anthropic", upstream.anthropic_url, "key"))
        for name, given in {**MODELS, "claude": {**MODELS["small"], "provider": "claude"}}.items():
            await omni.catalogue.add_model(
                OPERATOR, msgspec.convert({"provider": "fake", "name": name, **given}, AddModel)
            )
        yield omni


@pytest.fixture
async def payer(omni: Omni) -> Principal:
    tenant = await omni.tenants.create(OPERATOR, CreateTenant("payer", "Payer"))
    principal = omni.operator(tenant.id)
    await omni.budgets.create(principal, SetBudget(Window.MONTH, "1000"))
    return principal


async def make(omni: Omni, payer: Principal, call: KnownCall) -> None:
    if not call.streamed:
        await omni.chat.complete(payer, call.request)
        return
    stream = await omni.chat.stream(payer, call.request)
    assert [delta async for delta in stream][-1].usage is not None


def as_lines(invoice: Invoice) -> tuple[tuple[Any, ...], ...]:
    return tuple(
        (line.model, line.price_tier, line.meter.value, line.quantity, line.exact_picos, line.amount.minor)
        for line in invoice.lines
    )


async def test_calls_become_usage_spending_and_an_invoice(omni: Omni, upstream: FakeUpstream, payer: Principal) -> None:
    for call in CALLS:
        upstream.script(call.model, Script(usage=call.usage))
        for _ in range(call.times):
            await make(omni, payer, call)

    (total,) = await omni.metering.summary(payer, QUERY)
    assert (total.calls, total.cost_picos) == (COUNT, COST)
    events = await omni.metering.events(payer, QUERY, PageRequest(limit=100))
    made = [(call.model, call.quantities, call.cost, call.tier) for call in CALLS for _ in range(call.times)]
    assert [(e.model, e.quantities, e.cost_picos, e.price_tier) for e in reversed(events.items)] == made
    (budget,) = await omni.budgets.list(payer)
    assert budget.spending.spent_picos == COST

    month = Month.of(events.items[0].occurred_at)
    invoice = await omni.billing.close(payer, month, early=True)
    assert as_lines(invoice) == LINES
    assert invoice.total.minor == CENTS
    # What comes after the closing changes nothing of it.
    await make(omni, payer, CALLS[0])
    assert await omni.billing.close(payer, month) == invoice
    assert await omni.billing.get(payer, invoice.id) == invoice
