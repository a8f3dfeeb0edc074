"""Providers that fail: each way is a problem of its own, within the time limit; what did not come is not charged."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from tests.support.installation import IMPATIENT_S, Installation
from tests.support.program import Program
from tests.support.refusals import SECRETS, Refused, assert_problem, refused_at
from tests.support.waiting import eventually

# The model, and what its failure is called: before anything came, and in the middle of a stream.
WHOLE = [
    ("unreachable", 503, "llm.provider_unavailable"),
    ("fault-down", 503, "llm.provider_unavailable"),
    ("fault-529", 503, "llm.provider_unavailable"),
    ("fault-429", 429, "llm.provider_rate_limited"),
    ("fault-hang", 503, "llm.provider_timeout"),
    ("fault-stall", 503, "llm.provider_timeout"),
    ("fault-interim", 503, "llm.provider_timeout"),
    ("fault-drip-head", 503, "llm.provider_timeout"),
    ("fault-drip", 503, "llm.provider_timeout"),
    ("fault-cut", 503, "llm.provider_garbage"),
    ("fault-garbage", 503, "llm.provider_garbage"),
    ("fault-shape", 503, "llm.provider_garbage"),
    ("fault-unfinished", 503, "llm.provider_garbage"),
    ("fault-huge", 503, "llm.provider_garbage"),
    ("fault-redirect", 503, "llm.provider_garbage"),
    ("fault-not-http", 503, "llm.provider_garbage"),
    ("fault-error", 503, "llm.provider_unavailable"),
    ("fault-400", 400, "llm.provider_rejected"),
    ("fault-404", 400, "llm.provider_rejected"),
    ("locked-out", 502, "llm.provider_refused_key"),
]
BROKEN_STREAMS = [
    ("fault-stall", "llm.provider_timeout"),
    ("fault-drip", "llm.provider_timeout"),
    ("fault-pings", "llm.provider_timeout"),
    ("fault-cut", "llm.provider_garbage"),
    ("fault-garbage", "llm.provider_garbage"),
    ("fault-shape", "llm.provider_garbage"),
    ("fault-unfinished", "llm.provider_garbage"),
    ("fault-huge", "llm.provider_garbage"),
    ("fault-error", "llm.provider_unavailable"),
]
IN_MID_STREAM = {model for model, _ in BROKEN_STREAMS}


@pytest.fixture
async def refused(server: Program, installation: Installation) -> AsyncIterator[Refused]:
    async with refused_at(server, installation) as refused:
        yield refused
        assert [secret for secret in SECRETS if secret in server.log] == []
        assert refused.customer.key not in server.log


@pytest.mark.parametrize("model, status, code", WHOLE)
async def test_a_whole_answer_that_fails(refused: Refused, model: str, status: int, code: str) -> None:
    problem = assert_problem(await refused.chat(model=model), status, code)
    assert problem["kind"] == ("invalid" if status == 400 else "dependency")
    await refused.assert_nothing_was_charged()


@pytest.mark.parametrize("model, status, code", [row for row in WHOLE if row[0] not in IN_MID_STREAM])
async def test_a_stream_that_does_not_begin(refused: Refused, model: str, status: int, code: str) -> None:
    assert_problem(await refused.chat(model=model, stream=True), status, code)
    await refused.assert_nothing_was_charged()


@pytest.mark.parametrize("model, code", BROKEN_STREAMS)
async def test_a_stream_that_breaks_off(refused: Refused, server: Program, model: str, code: str) -> None:
    answer = await refused.chat(model=model, stream=True, max_tokens=50)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
    *pieces, last = [line.removeprefix("data: ") for line in answer.text.splitlines() if line]
    problem = json.loads(last)["error"]
    assert (problem["code"], problem["request_id"]) == (code, answer.headers["x-request-id"])
    assert "[DONE]" not in answer.text
    assert [secret for secret in SECRETS if secret in answer.text] == []
    # The status says 200, so the log alone tells the operator.
    assert [line for line in server.log.splitlines() if problem["request_id"] in line and code in line]

    text = "".join(choice["delta"].get("content", "") for piece in pieces for choice in json.loads(piece)["choices"])
    assert 0 < len(text) < len("The quick brown fox jumps over the lazy dog.")
    (call,) = await refused.calls()
    assert (call["status"], call["estimated"], call["model"]) == ("failed", True, model)
    # What came is charged for, at a token for four characters, rounded up; the rest is not.
    assert call["quantities"]["output"] == -(-len(text) // 4)
    assert call["cost"]["value"] == await refused.spent()


async def test_a_hanging_provider_is_given_up_in_time(refused: Refused) -> None:
    async with asyncio.timeout(4 * IMPATIENT_S):
        answer = await refused.chat(model="fault-hang")
    assert (answer.json()["limit"], answer.json()["limit_s"]) == ("first_byte_timeout_s", IMPATIENT_S)


async def test_when_to_come_back_is_passed_on(refused: Refused) -> None:
    answer = await refused.chat(model="fault-429")
    assert answer.headers["retry-after"] == "7"
    assert "x-should-retry" not in answer.headers


async def test_the_operators_key_is_nobodys_business(refused: Refused) -> None:
    """The provider repeats the key in its refusal; the caller is told that it was refused."""
    problem = assert_problem(await refused.chat(model="fault-401"), 502, "llm.provider_refused_key")
    assert "sk-fake" not in str(problem)
    assert "401" in problem["detail"]


async def test_what_was_set_aside_for_failed_calls_is_free_again(refused: Refused) -> None:
    await asyncio.gather(*(refused.chat(model="fault-garbage") for _ in range(20)))

    async def nothing_is_reserved() -> bool:
        return await refused.reserved() == "0.00"

    await eventually(nothing_is_reserved)
    await refused.assert_nothing_was_charged()
