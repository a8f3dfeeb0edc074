"""Nobody keeps a connection by sending slowly, or nothing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from omni_core.bootstrap.settings.http import HttpSettings
from omni_core.testing.upstream import Script
from tests.http.door.test_requests import chat
from tests.http.serving import Served, served
from tests.http.wire import request, turned_away, wired

HALVES = 100
LIMITS = HttpSettings(head_s=0.6, body_s=1, body_rate=10, idle_s=0.5, grace_s=1)


@pytest.fixture(scope="module")
async def serving() -> AsyncIterator[Served]:
    async with served("slow", limits=LIMITS) as serving:
        yield serving


async def test_half_requests_are_closed(serving: Served) -> None:
    before = turned_away(serving.metrics.exposition()).get("request_timed_out", 0)
    async with AsyncExitStack() as stack:
        wires = []
        for _ in range(HALVES):
            wires.append(await stack.enter_async_context(wired(serving.port)))
            await wires[-1].send(b"GET /health/live HTTP/1.1\r\nA: ")
        for wire in wires:
            answer = await wire.answer()
            assert (answer.status, answer.problem["code"]) == (408, "http.request_timed_out")
            assert answer.problem["limit_s"] == LIMITS.head_s
            assert "x-should-retry" not in answer.headers
            assert await wire.rest() == b""
    assert turned_away(serving.metrics.exposition())["request_timed_out"] == before + HALVES


async def test_byte_after_byte_wins_no_time_for_headers(serving: Served) -> None:
    async with wired(serving.port) as wire:

        async def drip() -> None:
            while True:
                await wire.send(b"a")
                await asyncio.sleep(0.02)

        await wire.send(b"GET / HTTP/1.1\r\nA: ")
        dripping = asyncio.create_task(drip())
        assert (await wire.answer()).status == 408
        dripping.cancel()
        await asyncio.wait([dripping])


async def test_who_says_nothing_is_told_nothing(serving: Served) -> None:
    async with wired(serving.port) as wire:
        assert await wire.rest() == b""


async def test_a_connection_that_is_not_used_any_more_is_closed(serving: Served) -> None:
    async with wired(serving.port) as wire:
        for _ in range(2):
            await wire.send(request())
            assert (await wire.answer()).status == 200
        assert await wire.rest() == b""


async def test_a_body_that_stalls_is_told_so_and_counted_as_it_is(serving: Served) -> None:
    key = serving.client.headers["Authorization"]
    begun = request("/v1/chat/completions", f"Authorization: {key}", "Content-Length: 500", method="POST")
    async with wired(serving.port) as wire:
        await wire.send(begun + b'{"model":')
        answer = await wire.answer()
        assert (answer.status, answer.problem["code"]) == (408, "http.request_timed_out")
        assert answer.problem["limit_s"] == LIMITS.body_s
        assert await wire.rest() == b""
    counted = serving.metrics.exposition().decode()
    assert 'method="POST",route="/v1/chat/completions",status="408"' in counted
    assert 'status="500"' not in counted


async def test_a_body_has_time_by_what_has_come(serving: Served) -> None:
    key = f"Authorization: {serving.client.headers['Authorization']}"
    async with wired(serving.port) as wire:
        await wire.send(request("/v1/chat/completions", key, "Content-Length: 102", method="POST") + b"{")
        # Longer than a body may take of which nothing comes, and never so long without anything.
        for _ in range(20):
            await asyncio.sleep(0.08)
            await wire.send(b"     ")
        await wire.send(b"}")
        assert (await wire.answer()).status == 400


async def test_an_answer_may_take_longer_than_a_request(serving: Served) -> None:
    serving.upstream.script("slow", Script(pieces=5, delay_s=0.3))
    async with wired(serving.port) as wire:
        await wire.send(chat(serving, stream=True))
        await asyncio.sleep(0.1)
        await wire.send(b"GET /half HTTP/1.1\r\nA: ")
        answered = await wire.rest()
    assert b"data: [DONE]" in answered
    # The time of the half request behind it begins when it is its turn.
    assert answered.count(b"HTTP/1.1 408") == 1
