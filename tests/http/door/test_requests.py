"""What is no HTTP/1.1, or more of it than one connection may ask for at once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from structlog.testing import capture_logs

from omni_core.bootstrap.settings.http import HttpSettings
from omni_core.testing.upstream import Script
from omni_http.door.reading import MOST_WAITING
from tests.http.serving import Served, served
from tests.http.wire import request, turned_away, wired
from tests.support.waiting import eventually


@pytest.fixture(scope="module")
async def serving() -> AsyncIterator[Served]:
    async with served("slow", limits=HttpSettings(grace_s=1)) as serving:
        yield serving


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 a TLS hello",
        request("/", "A: b\r\n c"),
        request("/", "A : b"),
        request("/", "A: \0"),
        request("/", "Content-Length: 1", "Content-Length: 2"),
        request("/", "Content-Length: 5", "Transfer-Encoding: chunked", method="POST"),
        b"GET / HTTP/1.1\nHost: omni\n\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
    ids=["TLS", "folded", "space", "nul", "two lengths", "length and chunks", "bare newlines", "HTTP/2"],
)
async def test_what_is_no_http_is_told_so(serving: Served, sent: bytes) -> None:
    async with wired(serving.port) as wire:
        await wire.send(sent)
        answer = await wire.answer()
        assert (answer.status, answer.problem["code"]) == (400, "http.malformed_request")
        assert answer.headers["connection"] == "close"
        assert await wire.rest() == b""


async def test_a_flood_is_counted_and_logged_in_one_entry(serving: Served) -> None:
    before = turned_away(serving.metrics.exposition()).get("malformed_request", 0)
    with capture_logs() as logs:
        for _ in range(50):
            async with wired(serving.port) as wire:
                await wire.send(b"\0\r\n")
                await wire.rest()
    assert turned_away(serving.metrics.exposition())["malformed_request"] == before + 50
    assert len([entry for entry in logs if entry["event"] == "turned away"]) <= 1
    assert {entry["log_level"] for entry in logs} <= {"info"}


@pytest.mark.parametrize(
    "sent",
    [
        request("/v1/models", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Key: eA=="),
        request("/v1/models", "Connection: Upgrade", "Upgrade: h2c", method="POST", body=b"{}"),
        b"CONNECT example.org:443 HTTP/1.1\r\n\r\n",
    ],
    ids=["WebSocket", "HTTP/2 with a body", "CONNECT"],
)
async def test_an_upgrade_is_refused(serving: Served, sent: bytes) -> None:
    async with wired(serving.port) as wire:
        await wire.send(sent)
        answer = await wire.answer()
        assert (answer.status, answer.problem["code"]) == (501, "http.upgrade_not_offered")
        assert answer.headers["x-should-retry"] == "false"


async def test_an_offer_of_http_2_without_a_body_is_passed_over(serving: Served) -> None:
    offer = request("/health/live", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAM")
    async with wired(serving.port) as wire:
        await wire.send(offer + request("/health/ready"))
        assert [(await wire.answer()).status for _ in range(2)] == [200, 200]
        await wire.send(request())
        assert (await wire.answer()).status == 200


async def test_requests_on_one_connection_are_answered_in_their_order(serving: Served) -> None:
    async with wired(serving.port) as wire:
        await wire.send(request("/health/live") + request("/v1/models") + request("/nowhere") + request("/health"))
        assert [(await wire.answer()).status for _ in range(4)] == [200, 401, 404, 200]


async def test_a_bad_request_behind_a_good_one_spoils_no_answer(serving: Served) -> None:
    async with wired(serving.port) as wire:
        await wire.send(request("/health/live") + b"nonsense\r\n\r\n")
        assert (await wire.answer()).status == 200
        assert await wire.rest() == b""


async def test_what_waits_behind_a_stream_is_limited(serving: Served) -> None:
    serving.upstream.script("slow", Script(text="abc" * 5, pieces=5, delay_s=0.1))
    async with wired(serving.port) as wire:
        await wire.send(chat(serving, stream=True))
        await asyncio.sleep(0.1)
        for _ in range(2 * MOST_WAITING):
            await wire.send(request())
        answered = await wire.rest()
    assert answered.count(b"HTTP/1.1 ") == 1
    assert b"data: [DONE]" in answered
    assert answered.endswith(b"0\r\n\r\n")


async def test_trailers_are_no_headers(serving: Served) -> None:
    key = serving.client.headers["Authorization"]
    async with wired(serving.port) as wire:
        await wire.send(request("/v1/chat/completions", "Transfer-Encoding: chunked", method="POST"))
        await wire.send(f"2\r\n{{}}\r\n0\r\nAuthorization: {key}\r\n\r\n".encode())
        assert (await wire.answer()).status == 401


async def test_who_was_refused_before_the_body_sends_it_in_vain_and_goes_on(serving: Served) -> None:
    async with wired(serving.port) as wire:
        await wire.send(request("/v1/chat/completions", "Content-Length: 300000", method="POST"))
        assert (await wire.answer()).status == 401
        await wire.send(b"a" * 300_000 + request())
        assert (await wire.answer()).status == 200


async def test_nothing_is_told_of_what_follows_an_answer(serving: Served) -> None:
    async with wired(serving.port) as wire:
        await wire.send(request("/v1/chat/completions", "Transfer-Encoding: chunked", method="POST"))
        assert (await wire.answer()).status == 401
        await wire.send(b"no chunk\r\n")
        assert await wire.rest() == b""


async def test_a_body_that_nobody_asked_for_is_not_waited_for(serving: Served) -> None:
    async with wired(serving.port) as wire:
        sent = request("/nowhere", "Content-Length: 3", "Expect: 100-continue", method="POST")
        await wire.send(sent)
        assert (await wire.answer()).status == 404
        assert await wire.rest() == b""


async def is_let_in(serving: Served) -> bool:
    async with wired(serving.port) as another:
        await another.send(request())
        return (await another.answer()).status == 200


async def test_an_address_has_so_many_connections_and_no_more() -> None:
    limits = HttpSettings(connections=3, proxies="none", grace_s=1)
    async with served(limits=limits) as serving, AsyncExitStack() as stack:
        first, *_ = [await stack.enter_async_context(wired(serving.port)) for _ in range(3)]
        await first.send(request())
        assert (await first.answer()).status == 200
        async with wired(serving.port) as fourth:
            answer = await fourth.answer()
            assert (answer.status, answer.problem["code"]) == (429, "http.too_many_connections")
            assert (answer.problem["limit"], answer.headers["retry-after"]) == (3, "1")
            assert await fourth.rest() == b""
        assert turned_away(serving.metrics.exposition()) == {"too_many_connections": 1}
        first.leave()
        await eventually(lambda: is_let_in(serving))


@pytest.mark.parametrize("limits", [{"connections": 1}, {"connections": 0, "proxies": "none"}])
async def test_connections_of_proxies_are_not_counted(limits: dict[str, Any]) -> None:
    async with served(limits=HttpSettings(grace_s=1, **limits)) as serving, wired(serving.port):
        assert await is_let_in(serving)


def chat(serving: Served, *, stream: bool, model: str = "slow") -> bytes:
    body = f'{{"model":"{model}","stream":{str(stream).lower()},"messages":[{{"role":"user","content":"Hello"}}]}}'
    key = serving.client.headers["Authorization"]
    return request("/v1/chat/completions", f"Authorization: {key}", method="POST", body=body.encode())
