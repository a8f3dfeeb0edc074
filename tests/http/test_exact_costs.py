"""A price of twelve decimal places, from the request that sets it to the invoice."""

from collections.abc import AsyncIterator
from decimal import Decimal

import httpx
import pytest

from omni_core import CreateKey, Month, Scope, SetBudget, Window
from omni_core.domain.llm.model import TokenUsage
from omni_core.testing.upstream import Script
from tests.http.serving import Served, served

FINE = {"input": "0.150000000001", "output": "0.600000000007"}
EVER = {"since": "2020-01-01", "until": "2120-01-01"}
USAGE = TokenUsage(1_001, 7)
# 1,001 × 0.150000000001 / 10⁶ + 7 × 0.600000000007 / 10⁶
COST = "0.00015435000000105"


@pytest.fixture(scope="module")
async def serving() -> AsyncIterator[Served]:
    async with served("plain") as serving:
        serving.upstream.script("plain", Script(usage=USAGE))
        yield serving


@pytest.fixture(scope="module")
async def client(serving: Served) -> AsyncIterator[httpx.AsyncClient]:
    made = await serving.omni.keys.create(serving.principal, CreateKey("all", tuple(Scope)))
    headers = {"Authorization": f"Bearer {made.secret}"}
    async with httpx.AsyncClient(base_url=serving.client.base_url, headers=headers, timeout=10) as client:
        yield client


async def test_a_fine_price_is_charged_shown_and_invoiced_to_its_last_digit(serving: Served, client: httpx.AsyncClient):
    await serving.omni.budgets.create(serving.principal, SetBudget(Window.DAY, "1.00"))
    price = (await client.post("/v1/prices", json={"model": "plain", "prices": FINE})).raise_for_status().json()
    assert {meter: price["tiers"][0]["prices"][meter] for meter in FINE} == FINE
    question = {"model": "plain", "messages": [{"role": "user", "content": "Hi"}]}
    for _ in range(3):
        (await client.post("/v1/chat/completions", json=question)).raise_for_status()
    *_, event = (await client.get("/v1/usage/events", params=EVER)).raise_for_status().json()["items"]
    assert (event["cost"]["value"], event["estimated"], event["estimate_reason"]) == (COST, False, None)
    (total,) = (await client.get("/v1/usage", params=EVER)).raise_for_status().json()
    assert Decimal(total["cost"]["value"]) == 3 * Decimal(COST)
    # A budget counts whole picos, each call rounded up.
    (status,) = await serving.omni.budgets.list(serving.principal)
    assert status.spending.spent_picos == 3 * 154_350_001
    month = str(Month.of(serving.log.events[0].occurred_at))
    draft = (await client.get("/v1/invoices/preview", params={"month": month})).raise_for_status().json()
    lines = {line["meter"]: (line["unit_price"], line["exact"]["value"]) for line in draft["lines"]}
    assert lines["input"] == ("0.150000000001", "0.000450450000003003")
    assert lines["output"] == ("0.600000000007", "0.000012600000000147")


async def test_a_price_that_is_finer_still_is_refused_by_name(client: httpx.AsyncClient):
    finer = {"model": "plain", "prices": {"input": "1", "output": "0.6000000000007"}}
    answer = await client.post("/v1/prices", json=finer)
    assert (answer.status_code, answer.json()["field"]) == (400, "prices.output")
    assert answer.json()["allowed"] == "up to 12 decimal places"
