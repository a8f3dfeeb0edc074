"""Who hangs up over a real socket pays for all that was produced until then, by the best figures that came."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from omni_core import OPERATOR, AddModel, AddProvider
from omni_core.domain.llm.counting import estimate_input_tokens, estimate_tokens
from omni_core.domain.llm.model import ChatRequest, Message, Role, TokenUsage, ToolCall
from omni_core.domain.metering.api import CallStatus, UsageEvent
from omni_core.testing.upstream import Fault, Script
from tests.http.serving import PRICES, Served, served
from tests.http.test_streaming import until

QUESTION = "Which animal jumps?"
ESTIMATED_INPUT = estimate_input_tokens(ChatRequest("any", (Message.of(Role.USER, QUESTION),)))
THOUGHT = "A fox is quick, and dogs are lazy, so it will be the fox that jumps. " * 40
TEXT = "The quick brown fox jumps over the lazy dog."
USAGE = TokenUsage(input_tokens=8_202, output_tokens=8_010, reasoning_tokens=8_000)
CALL = ToolCall("call_1", "find_animal", '{"verb": "jumps"}')

OPENAI = Script(text=TEXT, reasoning=THOUGHT, usage=USAGE, pieces=2, fault=Fault.STALL)
# vLLM calls it `reasoning`, and tells in each chunk what was used so far.
VLLM = msgspec.structs.replace(OPENAI, reasoning_field="reasoning", running_usage=True)
HALF_OF_TEXT, HALF_OF_THOUGHT = TEXT[: len(TEXT) // 2], THOUGHT[: len(THOUGHT) // 2]


@pytest.fixture(scope="module")
async def serving() -> AsyncIterator[Served]:
    async with served("gpt") as serving:
        url = serving.upstream.anthropic_url
        await serving.omni.catalogue.add_provider(OPERATOR, AddProvider("claude", "anthropic", url, "sk-any"))
        await serving.omni.catalogue.add_model(OPERATOR, AddModel("claude", "claude", prices=PRICES))
        yield serving


@pytest.fixture(autouse=True)
def clean(serving: Served) -> None:
    serving.log.events.clear()


async def hung_up(serving: Served, model: str, script: Script, seen: str) -> UsageEvent:
    """Hang up once `seen` has come, while the provider says nothing more; return what was recorded."""
    serving.upstream.script(model, script)
    messages = [{"role": "user", "content": QUESTION}]
    body = msgspec.json.encode({"model": model, "messages": messages, "stream": True, "max_tokens": 10_000})
    reader, writer = await asyncio.open_connection(serving.client.base_url.host, serving.client.base_url.port)
    head = [
        "POST /v1/chat/completions HTTP/1.1",
        "Host: omni",
        f"Authorization: {serving.client.headers['authorization']}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
    ]
    writer.write("\r\n".join([*head, "", ""]).encode() + body)
    came = b""
    try:
        async with asyncio.timeout(10):
            while seen.encode() not in came:
                piece = await reader.read(65536)
                assert piece, came
                came += piece
    finally:
        writer.transport.abort()
    assert b"fox is quick" not in came  # thoughts are counted, not told
    await until(lambda: serving.upstream.calls[-1].hung_up)
    await until(lambda: len(serving.log.events) == 1)
    (event,) = serving.log.events
    assert (event.status, event.estimated) == (CallStatus.INTERRUPTED, True)
    return event


def charged(event: UsageEvent) -> tuple[int, int]:
    quantities = event.quantities
    assert event.cost_picos == quantities.input * 10**6 + quantities.output * 2 * 10**6
    return quantities.input, quantities.output


def after(events: int, script: Script, **more: Any) -> Script:
    return msgspec.structs.replace(script, fault_after=events, **more)


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
@pytest.mark.parametrize(
    "events,seen,produced",
    [
        (2, "200 OK", THOUGHT),  # the answer has begun, although there is nothing of it to be read yet
        (3, TEXT, THOUGHT + TEXT),
    ],
    ids=["reasoning", "text"],
)
async def test_reasoning_is_charged_by_an_estimate_where_no_figures_came(
    serving: Served, field: str, events: int, seen: str, produced: str
):
    event = await hung_up(serving, "gpt", after(events, OPENAI, pieces=1, reasoning_field=field), seen)
    assert charged(event) == (ESTIMATED_INPUT, estimate_tokens(produced))


async def test_between_two_pieces_both_thought_and_text_are_charged(serving: Served):
    event = await hung_up(serving, "gpt", after(4, OPENAI), HALF_OF_TEXT)
    assert charged(event) == (ESTIMATED_INPUT, estimate_tokens(THOUGHT + HALF_OF_TEXT))


@pytest.mark.parametrize(
    "events,pieces,seen,quarters",
    [(2, 1, "200 OK", 2), (4, 2, HALF_OF_TEXT, 3), (5, 2, TEXT[len(TEXT) // 2 :], 4)],
    ids=["reasoning", "between", "text"],
)
async def test_figures_of_earlier_chunks_are_charged(
    serving: Served, events: int, pieces: int, seen: str, quarters: int
):
    event = await hung_up(serving, "gpt", after(events, VLLM, pieces=pieces), seen)
    assert charged(event) == (USAGE.input_tokens, USAGE.output_tokens * quarters // 4)
    # With all of it: 8,202 × $1 and 8,010 × $2 a million, not the 11 tokens of the text.
    assert quarters < 4 or event.cost_picos == 24_222_000_000


@pytest.mark.parametrize(
    "events,pieces,seen,produced",
    [
        (4, 1, "200 OK", THOUGHT),
        (9, 2, HALF_OF_TEXT, THOUGHT + HALF_OF_TEXT),
        (8, 1, TEXT, THOUGHT + TEXT),
    ],
    ids=["reasoning", "between", "text"],
)
async def test_input_that_anthropic_told_of_is_charged_and_its_placeholder_of_an_output_is_not(
    serving: Served, events: int, pieces: int, seen: str, produced: str
):
    event = await hung_up(serving, "claude", after(events, OPENAI, pieces=pieces), seen)
    assert charged(event) == (USAGE.input_tokens, estimate_tokens(produced))


@pytest.mark.parametrize(
    "model,script,events,input_tokens",
    [
        ("gpt", OPENAI, 5, ESTIMATED_INPUT),
        ("claude", OPENAI, 9, USAGE.input_tokens),
    ],
)
async def test_calls_of_tools_are_charged_with_the_thought_before_them(
    serving: Served, model: str, script: Script, events: int, input_tokens: int
):
    told = after(events, script, pieces=1, text="", tool_calls=(CALL,))
    half = CALL.arguments[: len(CALL.arguments) // 2]
    event = await hung_up(serving, model, told, msgspec.json.encode(half).decode()[1:-1])
    tokens = event.quantities.output
    assert charged(event) == (input_tokens, tokens)
    assert tokens in (
        estimate_tokens(THOUGHT + CALL.name + half),
        estimate_tokens(THOUGHT + CALL.name + CALL.arguments),
    )


async def test_a_provider_that_breaks_off_while_it_thinks_is_paid_for_the_thought(serving: Served):
    serving.upstream.script("gpt", after(2, VLLM, pieces=1, fault=Fault.CUT))
    messages = [{"role": "user", "content": QUESTION}]
    answer = await serving.client.post(
        "/v1/chat/completions", json={"model": "gpt", "messages": messages, "stream": True}
    )
    assert "llm.provider_garbage" in answer.text
    await until(lambda: len(serving.log.events) == 1)
    (event,) = serving.log.events
    assert (event.status, event.estimated) == (CallStatus.FAILED, True)
    assert charged(event) == (USAGE.input_tokens, USAGE.output_tokens // 2)


@pytest.mark.parametrize("model", ["gpt", "claude"])
async def test_a_plain_answer_without_figures_is_charged_for_its_thought(serving: Served, model: str):
    serving.upstream.script(model, Script(text=TEXT, reasoning=THOUGHT, usage=None))
    messages = [{"role": "user", "content": QUESTION}]
    answer = await serving.client.post("/v1/chat/completions", json={"model": model, "messages": messages})
    assert answer.json()["choices"][0]["message"]["content"] == TEXT
    assert "fox is quick" not in answer.text
    (event,) = serving.log.events
    assert event.estimated
    assert charged(event) == (ESTIMATED_INPUT, estimate_tokens(THOUGHT + TEXT))
