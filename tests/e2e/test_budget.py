"""More calls at once than a budget allows: none too many pass, and none too few."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx
import pytest

from omni_core import CreateKey, Month, SetBudget, Window
from omni_core.domain.budgets.api import Spending
from omni_core.domain.kernel.money import Money
from omni_core.domain.llm.api import TokenUsage
from omni_core.testing.upstream import Script
from tests.support.installation import Customer, Installation, calling
from tests.support.program import Program

CALLS = 200
OUTPUT = 10
ANSWER = Script(usage=TokenUsage(30, OUTPUT), first_delay_s=0.01)
# A call of `open-ended` costs a cent and a hundredth of a cent for each of the 10 tokens that come. Before it, as much
# is set aside as it costs where all 100 tokens come that it asks for.
COSTS = Decimal("0.011")
MAY_COST = Decimal("0.02")


def body(model: str, *, streamed: bool = False) -> dict[str, Any]:
    return {"model": model, "stream": streamed, "max_tokens": 100, "messages": [{"role": "user", "content": "Go."}]}


async def at_once(clients: list[httpx.AsyncClient], count: int, model: str, *, streamed: bool) -> list[httpx.Response]:
    """Make calls at once, shared out evenly among the clients."""
    calls = [
        clients[number % len(clients)].post("/v1/chat/completions", json=body(model, streamed=streamed))
        for number in range(count)
    ]
    return await asyncio.gather(*calls)


async def budget_of(client: httpx.AsyncClient) -> Any:
    (budget,) = (await client.get("/v1/budgets")).raise_for_status().json()
    return budget


def assert_refused_until_the_month_ends(answer: httpx.Response) -> None:
    problem = answer.json()
    month_end = Month.of(datetime.now(UTC)).end
    assert answer.status_code == 429
    assert answer.headers["content-type"] == "application/problem+json"
    assert (problem["kind"], problem["code"]) == ("quota", "budgets.exhausted")
    assert datetime.fromisoformat(problem["resets_at"]) == month_end
    left_s = (month_end - datetime.now(UTC)).total_seconds()
    assert left_s - 60 < int(answer.headers["retry-after"]) <= left_s + 60


@pytest.fixture(scope="module")
async def second_server(installation: Installation) -> Any:
    async with installation.program(OMNI_BUDGET_WAIT_S="20") as program:
        yield program


@pytest.fixture(scope="module")
async def patient_server(installation: Installation) -> Any:
    """A server that waits for calls under way to settle until they have, however busy the machine is."""
    async with installation.program(OMNI_BUDGET_WAIT_S="20") as program:
        yield program


@pytest.fixture(scope="module")
async def four_servers(
    installation: Installation, patient_server: Program, second_server: Program
) -> AsyncIterator[list[Program]]:
    patient = {"OMNI_BUDGET_WAIT_S": "20"}
    async with installation.program(**patient) as third, installation.program(**patient) as fourth:
        yield [patient_server, second_server, third, fourth]


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("processes", [1, 2, 4])
async def test_exactly_as_many_pass_as_the_budget_allows(
    installation: Installation,
    customer: Customer,
    four_servers: list[Program],
    processes: int,
    streamed: bool,
) -> None:
    installation.upstream.script("flat", ANSWER)
    await installation.budget(customer, "0.50")
    async with AsyncExitStack() as stack:
        servers = four_servers[:processes]
        clients = [await stack.enter_async_context(calling(server, customer.key)) for server in servers]
        answers = await at_once(clients, CALLS, "flat", streamed=streamed)
        budget = await budget_of(clients[0])
    assert Counter(answer.status_code for answer in answers) == {200: 50, 429: 150}
    for answer in answers:
        if answer.status_code == 429:
            assert_refused_until_the_month_ends(answer)
    assert (budget["spent"]["value"], budget["reserved"]["value"], budget["remaining"]["value"]) == (
        "0.50",
        "0.00",
        "0.00",
    )


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
async def test_what_a_call_did_not_use_is_there_for_the_next(
    installation: Installation, customer: Customer, patient_server: Program, streamed: bool
) -> None:
    """A call passes as long as the most that it may cost is left: 48 × 0.011 + 0.02 fit into 0.55, and 49 do not."""
    installation.upstream.script("open-ended", ANSWER)
    await installation.budget(customer, "0.55")
    async with calling(patient_server, customer.key) as client:
        answers = await at_once([client], CALLS, "open-ended", streamed=streamed)
        budget = await budget_of(client)
    assert Counter(answer.status_code for answer in answers) == {200: 49, 429: 151}
    assert Decimal(budget["spent"]["value"]) == 49 * COSTS


async def test_two_processes_never_exceed_it_either(
    installation: Installation, customer: Customer, server: Program, patient_server: Program
) -> None:
    """Each process may keep less than one call's most to itself while it is busy; a moment later that is free again."""
    installation.upstream.script("open-ended", ANSWER)
    limit = Decimal("0.55")
    await installation.budget(customer, str(limit))
    async with calling(server, customer.key) as one, calling(patient_server, customer.key) as other:
        # `server` gives up after the default of two seconds, so that what it holds comes back.
        answers = await at_once([one, other], CALLS, "open-ended", streamed=False)
        passed = sum(answer.is_success for answer in answers)
        assert limit - 2 * MAY_COST < passed * COSTS <= limit
        while (await other.post("/v1/chat/completions", json=body("open-ended"))).is_success:
            passed += 1
        budget = await budget_of(one)
    assert passed == 49
    assert Decimal(budget["spent"]["value"]) == 49 * COSTS
    assert {answer.status_code for answer in answers} == {200, 429}


async def test_a_keys_budget_lies_within_its_tenants(
    installation: Installation, customer: Customer, patient_server: Program
) -> None:
    installation.upstream.script("flat", ANSWER)
    limited = await installation.omni.keys.create(customer.principal, CreateKey("limited"))
    await installation.budget(customer, "0.50")
    await installation.budget(customer, "0.20", key_id=limited.key.id)
    async with calling(patient_server, limited.secret) as narrow, calling(patient_server, customer.key) as wide:
        of_narrow = await at_once([narrow], 100, "flat", streamed=False)
        of_wide = await at_once([narrow, wide], 100, "flat", streamed=False)
        budgets = (await wide.get("/v1/budgets")).raise_for_status().json()
    assert Counter(answer.status_code for answer in of_narrow) == {200: 20, 429: 80}
    assert [answer.is_success for answer in of_wide[::2]] == [False] * 50
    assert Counter(answer.status_code for answer in of_wide[1::2]) == {200: 30, 429: 20}
    assert {budget["key_id"]: budget["spent"]["value"] for budget in budgets} == {
        None: "0.50",
        str(limited.key.id): "0.20",
    }


async def test_as_many_pass_as_all_budgets_of_a_call_allow(
    installation: Installation, customer: Customer, four_servers: list[Program]
) -> None:
    installation.upstream.script("flat", ANSWER)
    made = await installation.omni.keys.create(customer.principal, CreateKey("watched"))
    limits = {(None, Window.MONTH): "0.54", (None, Window.DAY): "0.50", (made.key.id, Window.MONTH): "0.58"}
    for (key_id, window), limit in limits.items():
        await installation.omni.budgets.create(customer.principal, SetBudget(window, limit, key_id))
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(calling(server, made.secret)) for server in four_servers]
        answers = await at_once(clients, CALLS, "flat", streamed=False)
    budgets = await installation.omni.budgets.list(customer.principal)
    assert Counter(answer.status_code for answer in answers) == {200: 50, 429: 150}
    assert {status.spending for status in budgets} == {Spending(Money(50, "USD").picos, 0)}


async def test_a_tenants_budget_is_no_other_tenants(
    installation: Installation, customer: Customer, server: Program
) -> None:
    installation.upstream.script("flat", ANSWER)
    await installation.budget(customer, "0.00")
    neighbour = await installation.customer()
    async with calling(server, customer.key) as poor, calling(server, neighbour.key) as free:
        refused, passed = [(await client.post("/v1/chat/completions", json=body("flat"))) for client in (poor, free)]
    assert_refused_until_the_month_ends(refused)
    assert passed.is_success
