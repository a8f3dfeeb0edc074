"""From calls with known token counts to usage, spending, budget and invoice: every figure as worked out by hand."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest

from omni_core import Month, Scope
from omni_core.adapters.postgres.usage_log import PostgresUsageLog
from omni_core.domain.metering.api import Quantities
from omni_core.testing.builders.metering import a_call
from omni_core.testing.upstream import Script
from tests.support.installation import Customer, Installation, calling
from tests.support.metered_calls import CALLS, CENTS, COST, COST_OF_MODEL, COUNT, LINES, KnownCall
from tests.support.program import Program

MONTH = Month.of(datetime.now(UTC))
LAST_MONTH = Month.of(MONTH.start - timedelta(days=1))
SPAN = {"since": LAST_MONTH.start.isoformat(), "until": MONTH.end.isoformat()}
LIMIT = 1_000 * 10**12


@pytest.fixture(scope="module")
async def payer(installation: Installation) -> Customer:
    customer = await installation.customer()
    await installation.budget(customer, "1000")
    return customer


@pytest.fixture(scope="module")
async def client(server: Program, installation: Installation, payer: Customer) -> AsyncIterator[httpx.AsyncClient]:
    """A client whose tenant has made all the calls."""
    async with calling(server, payer.key) as client:
        for call in CALLS:
            installation.upstream.script(call.model, Script(usage=call.usage))
            for _ in range(call.times):
                (await client.post("/v1/chat/completions", json=call.body)).raise_for_status()
        yield client


async def got(client: httpx.AsyncClient, path: str, **query: Any) -> Any:
    return (await client.get(path, params=query)).raise_for_status().json()


async def closed(client: httpx.AsyncClient, month: Month) -> Any:
    return (await client.post("/v1/invoices", json={"month": str(month)})).raise_for_status().json()


def picos(cost: dict[str, str]) -> int:
    """Read an exact amount of dollars."""
    exact = Decimal(cost["value"]).scaleb(12)
    assert cost["currency"] == "USD"
    assert exact == exact.to_integral_value()
    return int(exact)


def as_lines(invoice: Any, month: Month) -> tuple[tuple[Any, ...], ...]:
    """Return a month's lines in the form of `LINES`."""
    return tuple(
        (
            line["model"],
            line["price_tier"],
            line["meter"],
            line["quantity"],
            picos(line["exact"]),
            line["amount"]["minor"],
        )
        for line in invoice["lines"]
        if line["usage_month"] == str(month)
    )


async def test_every_call_is_an_event_at_its_cost(client: httpx.AsyncClient) -> None:
    events = (await got(client, "/v1/usage/events", **SPAN, limit=100))["items"]
    expected = [call for call in reversed(CALLS) for _ in range(call.times)]
    assert len(events) == COUNT
    for event, call in zip(events, expected, strict=True):
        assert (event["model"], event["status"], event["estimated"]) == (call.model, "completed", False)
        assert event["quantities"] == {name: getattr(call.quantities, name) for name in event["quantities"]}
        assert (picos(event["cost"]), event["price_tier"]) == (call.cost, call.tier)


async def test_the_summary_adds_them_up(client: httpx.AsyncClient) -> None:
    (total,) = await got(client, "/v1/usage", **SPAN)
    every = Quantities()
    for call in CALLS:
        for _ in range(call.times):
            every += call.quantities
    assert (total["calls"], picos(total["cost"])) == (COUNT, COST)
    assert total["quantities"] == {name: getattr(every, name) for name in total["quantities"]}
    by_model = await got(client, "/v1/usage", **SPAN, by="model")
    assert {row["group"]["model"]: picos(row["cost"]) for row in by_model} == COST_OF_MODEL


async def test_the_budget_has_spent_just_that(client: httpx.AsyncClient) -> None:
    (budget,) = await got(client, "/v1/budgets")
    assert picos(budget["spent"]) == COST
    # What is reserved is what the server keeps at hand for the next call; nothing is lost between the three.
    assert picos(budget["spent"]) + picos(budget["reserved"]) + picos(budget["remaining"]) == LIMIT


async def test_the_upstream_counted_the_same(client: httpx.AsyncClient, installation: Installation) -> None:
    (total,) = await got(client, "/v1/usage", **SPAN, model="claude")
    upstream = installation.upstream.totals["claude"]
    counted = total["quantities"]
    assert upstream.cached_input_tokens >= counted["cached_input"] == 100_000
    assert upstream.cache_write_tokens >= counted["cache_write"] == 50_000


async def test_the_invoice_shows_them_to_the_cent(
    client: httpx.AsyncClient, installation: Installation, payer: Customer
) -> None:
    async def record(quantities: Quantities, at: datetime) -> None:
        """Record a call as a server that was cut off for a while would."""
        assert installation.omni.database is not None
        (price,) = await installation.omni.pricing.list(payer.principal, "small")
        log = PostgresUsageLog(installation.omni.database.pool)
        assert await log.append(a_call(payer.id, price, quantities=quantities, occurred_at=at))
        await log.close()

    # 100,000 × 150,000 = 15,000,000,000 is a cent and a half: two.
    await record(Quantities(input=100_000), LAST_MONTH.end - timedelta(microseconds=1))
    earlier = await closed(client, LAST_MONTH)
    assert as_lines(earlier, LAST_MONTH) == (("small", 0, "input", 100_000, 15_000_000_000, 2),)
    assert (earlier["invoice"]["number"], earlier["invoice"]["total"]["minor"]) == ("INV-000001", 2)

    # Occurred in the month that is closed by now, so it goes to the next invoice: 90,000 × 600,000 are 5.4 cents.
    await record(Quantities(output=90_000), LAST_MONTH.start)
    preview = await got(client, "/v1/invoices/preview", month=str(MONTH))
    refused = await client.post("/v1/invoices", json={"month": str(MONTH)})
    assert (refused.status_code, refused.json()["code"]) == (412, "billing.month_runs")
    # It still runs, so that nobody but the operator may close it.
    early = {"month": str(MONTH), "early": True}
    assert (await client.post("/v1/invoices", json=early)).json()["code"] == "kernel.missing_scope"
    operators = {"Authorization": f"Bearer {await installation.key(payer, *Scope)}"}
    invoice = (await client.post("/v1/invoices", json=early, headers=operators)).raise_for_status().json()
    assert as_lines(invoice, MONTH) == LINES
    assert as_lines(invoice, LAST_MONTH) == (("small", 0, "output", 90_000, 54_000_000_000, 5),)
    assert invoice["invoice"]["number"] == "INV-000002"
    assert invoice["invoice"]["total"] == {"value": "0.34", "currency": "USD", "minor": CENTS + 5}
    assert preview["lines"] == invoice["lines"]

    # Neither changes by being closed again, nor by what is recorded afterwards.
    await record(Quantities(output=1), LAST_MONTH.start)
    assert await closed(client, LAST_MONTH) == earlier
    assert await closed(client, MONTH) == invoice
    assert await got(client, f"/v1/invoices/{invoice['invoice']['id']}") == invoice
    listed = await got(client, "/v1/invoices")
    assert listed["items"] == [invoice["invoice"], earlier["invoice"]]
    billed = await got(client, f"/v1/invoices/{invoice['invoice']['id']}/usage", limit=100)
    assert len(billed["items"]) == COUNT + 1
    assert sum(picos(event["cost"]) for event in billed["items"]) == COST + 54_000_000_000


def test_the_hand_computed_figures_agree_with_one_another() -> None:
    def of_model(model: str) -> list[KnownCall]:
        return [call for call in CALLS if call.model == model]

    assert sum(call.cost * call.times for call in CALLS) == COST == sum(line[4] for line in LINES)
    assert {m: sum(call.cost * call.times for call in of_model(m)) for m in COST_OF_MODEL} == COST_OF_MODEL
    assert sum(line[5] for line in LINES) == CENTS
