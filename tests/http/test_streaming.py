import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from typing import Any

import msgspec
import pytest

from omni_core.domain.metering.api import CallStatus
from omni_core.domain.metering.errors import UsageNotRecorded
from omni_core.testing.upstream import Fault, Script
from omni_http.responses import EventStream
from tests.http.serving import Served, served

WORDS = "The quick brown fox jumps over the lazy dog."
PROMPTLY_S = 2.0


@pytest.fixture(scope="module")
async def serving() -> AsyncIterator[Served]:
    async with served("plain", "slow", "stall", "cut", "error", "down") as serving:
        yield serving


@pytest.fixture(autouse=True)
async def clean(serving: Served) -> AsyncIterator[None]:
    serving.log.events.clear()
    yield
    serving.log.failure = None
    serving.log.gate.set()


def asked(model: str, **more: Any) -> dict[str, Any]:
    return {"model": model, "messages": [{"role": "user", "content": "Which animal jumps?"}], "stream": True, **more}


async def events(serving: Served, body: dict[str, Any]) -> AsyncGenerator[str, None]:
    """Yield the data of each event as it comes."""
    async with serving.client.stream("POST", "/v1/chat/completions", json=body) as response:
        assert response.status_code == 200
        assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
        async for line in response.aiter_lines():
            if line:
                yield line.removeprefix("data: ")


async def chunks_of(serving: Served, body: dict[str, Any]) -> list[Any]:
    """Return all events, decoded; `[DONE]` as the text that it is."""
    return [text if text == "[DONE]" else msgspec.json.decode(text) async for text in events(serving, body)]


def said(chunks: list[Any]) -> str:
    choices = [choice for chunk in chunks if "choices" in chunk for choice in chunk["choices"]]
    return "".join(choice["delta"].get("content") or "" for choice in choices)


async def until(holds: Callable[[], bool]) -> float:
    """Wait until something holds; return how long it took."""
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < PROMPTLY_S, "it took too long"
        await asyncio.sleep(0.005)
    return time.monotonic() - began


async def test_a_stream_brings_the_words_then_its_end(serving: Served):
    chunks = await chunks_of(serving, asked("plain"))
    assert said(chunks) == WORDS
    assert chunks[0]["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert chunks[-2]["choices"][0]["finish_reason"] == "stop"
    assert chunks[-1] == "[DONE]"
    assert [event.status for event in serving.log.events] == [CallStatus.COMPLETED]


@pytest.mark.parametrize("options", [{}, {"stream_options": {"include_usage": False}}, {"stream_options": None}])
async def test_usage_is_not_told_unless_it_is_asked_for(serving: Served, options: dict[str, Any]):
    chunks = await chunks_of(serving, asked("plain", **options))
    assert all("usage" not in chunk for chunk in chunks[:-1])


async def test_usage_comes_last_where_it_is_asked_for(serving: Served):
    *chunks, usage, done = await chunks_of(serving, asked("plain", stream_options={"include_usage": True}))
    assert all(chunk["usage"] is None for chunk in chunks)
    assert usage["choices"] == []
    assert (usage["usage"]["prompt_tokens"], usage["usage"]["completion_tokens"]) == (25, 10)
    assert done == "[DONE]"


async def test_the_end_is_held_back_until_the_usage_is_committed(serving: Served):
    serving.log.gate.clear()
    came: list[str] = []

    async def read() -> None:
        async for text in events(serving, asked("plain", stream_options={"include_usage": True})):
            came.append(text)  # noqa: PERF401 - somebody looks at the list meanwhile

    reading = asyncio.create_task(read())
    await until(lambda: said([msgspec.json.decode(text) for text in came]) == WORDS)
    await asyncio.sleep(0.1)  # time enough for an end that nobody holds back
    assert not any('"finish_reason":"stop"' in text or text == "[DONE]" for text in came)
    assert serving.log.events == []
    serving.log.gate.set()
    await reading
    assert came[-1] == "[DONE]"
    assert len(serving.log.events) == 1


async def test_a_stream_whose_usage_cannot_be_committed_ends_in_an_error(serving: Served):
    serving.log.failure = UsageNotRecorded("the database is away")
    chunks = await chunks_of(serving, asked("plain"))
    assert said(chunks) == WORDS
    assert chunks[-1]["error"]["code"] == UsageNotRecorded.code
    assert not any(chunk["choices"][0]["finish_reason"] for chunk in chunks[:-1])


@pytest.mark.parametrize("model", ["cut", "error"])
async def test_a_provider_that_breaks_off_ends_the_stream_in_an_error_event(serving: Served, model: str):
    *chunks, last = await chunks_of(serving, asked(model))
    assert WORDS.startswith(said(chunks))
    assert said(chunks)
    assert last["error"]["code"].startswith("llm.provider_")
    assert last["error"]["request_id"]
    assert last["error"]["message"] == last["error"]["detail"]
    assert (last["error"]["type"], last["error"]["param"]) == ("api_error", None)
    await until(lambda: len(serving.log.events) == 1)
    assert serving.log.events[0].status is CallStatus.FAILED
    assert serving.log.events[0].quantities.output > 0


async def test_what_fails_before_the_first_piece_is_a_plain_problem(serving: Served):
    answer = await serving.client.post("/v1/chat/completions", json=asked("down"))
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert serving.log.events == []


@pytest.mark.parametrize("script", [Script(pieces=40, delay_s=0.05), Script(fault=Fault.STALL)], ids=["busy", "silent"])
async def test_a_client_that_hangs_up_ends_the_call_and_pays_for_what_was_produced(serving: Served, script: Script):
    serving.upstream.script("slow", script)
    async with aclosing(events(serving, asked("slow"))) as stream:
        while "content" not in msgspec.json.decode(await anext(stream))["choices"][0]["delta"]:
            pass
    await until(lambda: serving.upstream.calls[-1].hung_up)
    await until(lambda: len(serving.log.events) == 1)
    event = serving.log.events[0]
    assert event.status is CallStatus.INTERRUPTED
    assert event.estimated
    assert 0 < event.quantities.output <= 11
    assert event.cost_picos > 0


async def test_a_client_that_hangs_up_at_the_end_is_charged_in_full(serving: Served):
    serving.log.gate.clear()
    async with aclosing(events(serving, asked("plain"))) as stream:
        text = ""
        while text != WORDS:
            text += said([msgspec.json.decode(await anext(stream))])
    await asyncio.sleep(0.05)
    serving.log.gate.set()
    await until(lambda: len(serving.log.events) == 1)
    assert serving.log.events[0].status is CallStatus.COMPLETED
    assert serving.log.events[0].quantities.output == 10


async def test_a_server_that_stops_is_not_taken_for_a_client_that_left():
    closed = asyncio.Event()

    async def endless() -> AsyncGenerator[bytes, None]:
        try:
            while True:
                yield b"data: {}\n\n"
                await asyncio.sleep(0.001)
        finally:
            closed.set()

    async def send(message: Any) -> None:
        pass

    async def receive() -> Any:
        await asyncio.Event().wait()

    respond: Any = EventStream(endless(), endless()).to_asgi_response()
    answering: asyncio.Task[None] = asyncio.create_task(respond({}, receive, send))
    await asyncio.sleep(0.02)
    answering.cancel()
    with pytest.raises(asyncio.CancelledError):
        await answering
    assert closed.is_set()


async def test_a_client_that_leaves_before_the_first_piece_ends_the_call_all_the_same():
    closed = asyncio.Event()

    async def call() -> AsyncGenerator[str, None]:
        try:
            yield "first"
            yield "second"
        finally:
            closed.set()

    async def chunks() -> AsyncGenerator[bytes, None]:
        async for piece in source:
            yield piece.encode()

    async def send(message: Any) -> None:
        await asyncio.Event().wait()  # nobody reads

    async def receive() -> Any:
        return {"type": "http.disconnect"}

    source = call()
    await anext(source)
    respond: Any = EventStream(chunks(), source).to_asgi_response()
    await asyncio.wait_for(respond({}, receive, send), PROMPTLY_S)
    assert closed.is_set()
