"""A server that stops lets calls end, and tells those whom it cuts off."""

import asyncio
import json
from collections.abc import AsyncIterator

import httpx
import pytest
from structlog.testing import capture_logs

from omni_core.bootstrap.settings.http import HttpSettings
from omni_core.domain.metering.api import CallStatus
from omni_core.testing.upstream import Script
from tests.http.serving import Served, served
from tests.http.wire import request, wired
from tests.support.waiting import eventually

BODY = {"messages": [{"role": "user", "content": "Which animal jumps?"}]}


@pytest.fixture
async def serving() -> AsyncIterator[Served]:
    """A server with little patience."""
    async with served("stall", "hang", limits=HttpSettings(grace_s=0.3)) as serving:
        yield serving


async def asked(serving: Served, model: str) -> None:
    """Wait until the provider was asked, so that the call is under way."""

    async def is_asked() -> bool:
        return any(call.model == model for call in serving.upstream.calls)

    await eventually(is_asked)


async def test_a_stream_that_is_cut_off_ends_with_an_error_and_a_proper_end(serving: Served) -> None:
    events: list[str] = []

    async def read() -> None:
        async with serving.client.stream(
            "POST", "/v1/chat/completions", json={**BODY, "model": "stall", "stream": True}
        ) as answer:
            async for line in answer.aiter_lines():
                events.extend([line.removeprefix("data: ")] if line else [])

    reading = asyncio.create_task(read())

    async def has_begun() -> bool:
        return len(events) > 2

    await eventually(has_begun)
    with capture_logs() as logs:
        serving.server.should_exit = True
        # An end without its last chunk would raise.
        await asyncio.wait_for(reading, 20)
    *chunks, last = [json.loads(text) for text in events]
    assert all("choices" in chunk for chunk in chunks)
    error = last["error"]
    assert (error["code"], error["status"], error["type"]) == ("http.server_stopping", 503, "api_error")
    assert error["request_id"]
    await eventually(lambda: _recorded(serving, 1))
    (event,) = serving.log.events
    assert event.status is CallStatus.INTERRUPTED
    assert event.cost_picos > 0
    assert {"event": "calls cut off", "calls": 1, "log_level": "warning"} in logs


@pytest.mark.parametrize("stream", [False, True])
async def test_a_call_that_is_cut_off_before_its_answer_gets_a_problem(serving: Served, *, stream: bool) -> None:
    call = serving.client.post("/v1/chat/completions", json={**BODY, "model": "hang", "stream": stream})
    calling = asyncio.create_task(call)
    await asked(serving, "hang")
    serving.server.should_exit = True
    answer = await asyncio.wait_for(calling, 20)
    assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
    assert answer.headers["retry-after"] == "1"
    assert answer.headers["connection"] == "close"
    assert answer.headers["x-request-id"] == answer.json()["request_id"]
    assert answer.json()["code"] == answer.json()["error"]["code"] == "http.server_stopping"
    assert 'route="/v1/chat/completions",status="503"' in serving.metrics.exposition().decode()
    assert serving.log.events == []


async def test_a_body_that_is_cut_off_gets_a_problem_too(serving: Served) -> None:
    key = f"Authorization: {serving.client.headers['Authorization']}"
    async with wired(serving.port) as wire:
        begun = request("/v1/chat/completions", key, "Content-Length: 99", "Expect: 100-continue", method="POST")
        await wire.send(begun)
        assert (await wire.answer()).status == 100
        serving.server.should_exit = True
        answer = await wire.answer()
        assert (answer.status, answer.problem["code"]) == (503, "http.server_stopping")


async def test_who_does_not_read_holds_up_no_end(serving: Served) -> None:
    serving.upstream.script("stall", Script(text="fox " * 2_000_000, pieces=200))
    body = json.dumps({**BODY, "model": "stall", "stream": True}).encode()
    key = f"Authorization: {serving.client.headers['Authorization']}"
    async with wired(serving.port, receive_bytes=4096) as wire:
        await wire.send(request("/v1/chat/completions", key, method="POST", body=body))

        async def is_stuck() -> bool:
            return any(one.flow.write_paused for one in serving.server.connections())

        await eventually(is_stuck)
        serving.server.should_exit = True
        await eventually(lambda: _recorded(serving, 1))
    assert serving.log.events[0].status is CallStatus.INTERRUPTED


async def test_calls_end_by_themselves_within_the_grace_and_nobody_else_is_let_in() -> None:
    async with served("slow", limits=HttpSettings(grace_s=20)) as serving:
        serving.upstream.script("slow", Script(pieces=10, delay_s=0.1))
        body = {**BODY, "model": "slow"}
        async with wired(serving.port) as idle:
            await idle.send(request())
            assert (await idle.answer()).status == 200
            streaming = asyncio.create_task(serving.client.post("/v1/chat/completions", json={**body, "stream": True}))
            plain = asyncio.create_task(serving.client.post("/v1/chat/completions", json=body))
            await asked(serving, "slow")
            serving.server.should_exit = True
            assert await idle.rest() == b""
            with pytest.raises(httpx.TransportError):
                async with httpx.AsyncClient() as newcomer:
                    await newcomer.get(f"http://127.0.0.1:{serving.port}/health/live")
        assert (await streaming).text.endswith("data: [DONE]\n\n")
        assert (await plain).status_code == 200
        assert [event.status for event in serving.log.events] == [CallStatus.COMPLETED] * 2


async def _recorded(serving: Served, calls: int) -> bool:
    return len(serving.log.events) == calls
