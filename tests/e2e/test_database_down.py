"""PostgreSQL goes away and comes back: the server says so, charges nothing, and goes on by itself."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from omni_core.domain.llm.api import TokenUsage
from omni_core.testing.upstream import Script
from tests.support.gate import Gate, gate_to
from tests.support.installation import Customer, Installation, calling
from tests.support.program import Program
from tests.support.refusals import MESSAGES, SECRETS, assert_problem
from tests.support.waiting import eventually

BODY = {"model": "small", "messages": MESSAGES}


@pytest.fixture
async def gate(installation: Installation) -> AsyncIterator[Gate]:
    async with gate_to(installation.settings["DATABASE_URL"]) as gate:
        yield gate


@pytest.fixture
async def program(installation: Installation, gate: Gate) -> AsyncIterator[Program]:
    async with installation.program(DATABASE_URL=gate.url) as program:
        yield program


async def chat(client: httpx.AsyncClient, **fields: object) -> httpx.Response:
    return await client.post("/v1/chat/completions", json={**BODY, **fields})


async def answers(client: httpx.AsyncClient) -> bool:
    return (await client.get("/health/ready")).is_success and (await chat(client)).is_success


async def test_it_says_what_is_wrong_and_recovers(
    installation: Installation, customer: Customer, gate: Gate, program: Program
) -> None:
    installation.upstream.script("small", Script(usage=TokenUsage(25, 10)))
    await installation.budget(customer, "5.00")
    async with calling(program, customer.key) as client:
        assert (await chat(client)).is_success
        asked = len(installation.upstream.calls)
        await gate.shut()

        ready = await client.get("/health/ready")
        assert (ready.status_code, ready.json()["failing"]) == (503, ["postgres.unavailable"])
        assert (await client.get("/health/live")).is_success
        await asyncio.sleep(1.1)  # until nothing that was read before is believed any more
        for streamed in (False, True):
            answer = await chat(client, stream=streamed)
            problem = assert_problem(answer, 503, "postgres.unavailable")
            assert problem["kind"] == "dependency"
            assert "x-should-retry" not in answer.headers
        assert_problem(await client.get("/v1/budgets"), 503, "postgres.unavailable")
        # Nobody is asked for an answer that could not be charged.
        assert len(installation.upstream.calls) == asked

        await gate.open()
        await eventually(lambda: answers(client))
    assert [secret for secret in (*SECRETS, customer.key) if secret in program.log] == []


async def calls_reach(installation: Installation, number: int) -> bool:
    """Tell whether the provider has been asked that often."""
    return len(installation.upstream.calls) >= number


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
async def test_a_short_outage_in_the_middle_of_a_call_is_sat_out(
    installation: Installation, customer: Customer, gate: Gate, program: Program, streamed: bool
) -> None:
    """The answer is there, its usage cannot be written: it is held back until it can, and counted once."""
    installation.upstream.script("small", Script(usage=TokenUsage(25, 10), first_delay_s=1.0))
    await installation.budget(customer, "5.00")
    async with calling(program, customer.key) as client:
        assert (await chat(client)).is_success
        before = len(installation.upstream.calls)
        answering = asyncio.create_task(chat(client, stream=streamed))
        await eventually(lambda: calls_reach(installation, before + 1))
        await gate.shut()
        await asyncio.sleep(2)
        assert not answering.done()
        await gate.open()
        answer = await answering
        assert answer.is_success
        assert "[DONE]" in answer.text or not streamed
        events = await client.get("/v1/usage/events", params={"since": "2020-01-01", "until": "2100-01-01"})
    recorded = [event["request_id"] for event in events.raise_for_status().json()["items"]]
    assert recorded.count(answer.headers["x-request-id"]) == 1
    assert len(recorded) == 2
    (budget,) = await installation.omni.budgets.list(customer.principal)
    # 25 × 150,000 + 10 × 600,000, twice.
    assert budget.spending.spent_picos == 2 * 9_750_000


async def test_an_answer_that_cannot_be_charged_is_not_given(
    installation: Installation, customer: Customer, gate: Gate, program: Program
) -> None:
    installation.upstream.script("small", Script(usage=TokenUsage(25, 10), first_delay_s=1.5))
    async with calling(program, customer.key) as client:
        assert (await chat(client, model="omni-brain")).is_success
        before = len(installation.upstream.calls)
        answering = [asyncio.create_task(chat(client, stream=streamed)) for streamed in (False, True)]
        await eventually(lambda: calls_reach(installation, before + 2))
        await gate.shut()
        whole, streamed = await asyncio.gather(*answering)
        await gate.open()
        await eventually(lambda: answers(client))
    assert_problem(whole, 503, "metering.not_recorded")
    assert "metering.not_recorded" in streamed.text
    assert "[DONE]" not in streamed.text
    assert '"finish_reason":"stop"' not in streamed.text
    assert "Traceback" not in program.log
