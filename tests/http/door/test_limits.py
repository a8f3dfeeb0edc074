"""What comes in is limited before anything is done with it, and whoever sends too much is told why."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from omni_core.bootstrap.settings.http import HttpSettings
from tests.http.serving import Served, served
from tests.http.wire import request, wired

HEADER_BYTES, FIELDS, TARGET_BYTES = 4_096, 50, 1_000
LIMITS = HttpSettings(header_bytes=HEADER_BYTES, header_fields=FIELDS, target_bytes=TARGET_BYTES, grace_s=1)
# A read brings so much at most, beside what the sockets of both ends hold.
UNDER_WAY = 16 << 20


@pytest.fixture(scope="module")
async def serving() -> AsyncIterator[Served]:
    async with served("slow", limits=LIMITS) as serving:
        yield serving


async def refused(serving: Served, *pieces: bytes) -> tuple[int, str, object]:
    """Send, and return the status, code and limit of the one answer, after which the connection is closed."""
    async with wired(serving.port) as wire:
        for piece in pieces:
            await wire.send(piece)
        answer = await wire.answer()
        assert answer.headers["connection"] == "close"
        assert await wire.rest() == b""
    problem = answer.problem
    assert problem["error"]["code"] == problem["code"]
    return answer.status, problem["code"], problem.get("limit_bytes") or problem.get("limit")


def padded(size: int) -> bytes:
    """Return a request whose headers have so many bytes, their names and values with four more for each."""
    taken = sum(len(line) + 2 for line in request().decode().split("\r\n")[1:-2]) + len("X-Pad") + 4
    return request("/health/live", f"X-Pad: {'a' * (size - taken)}")


async def test_headers_up_to_the_limit_are_let_in(serving: Served) -> None:
    async with wired(serving.port) as wire:
        await wire.send(padded(HEADER_BYTES))
        assert (await wire.answer()).status == 200
        await wire.send(request("/health/live", *("A: b" for _ in range(FIELDS - 1))))
        assert (await wire.answer()).status == 200
        await wire.send(request("/health/live?" + "a" * (TARGET_BYTES - len("/health/live?"))))
        assert (await wire.answer()).status == 200


TOO_LARGE = (431, "http.headers_too_large", HEADER_BYTES)


@pytest.mark.parametrize(
    "pieces, expected",
    [
        ((padded(HEADER_BYTES + 1),), TOO_LARGE),
        ((b"GET / HTTP/1.1\r\nX: ", b"a" * 3_000, b"a" * 3_000), TOO_LARGE),
        ((b"\r\n" * 3_000,), TOO_LARGE),
        ((request("/", *("A: b" for _ in range(FIELDS))),), (431, "http.headers_too_large", FIELDS)),
        ((request("/" + "a" * TARGET_BYTES),), (414, "http.target_too_long", TARGET_BYTES)),
        ((b"GET /" + b"a" * 1_000, b"a" * 1_000), (414, "http.target_too_long", TARGET_BYTES)),
    ],
    ids=["one", "unfinished", "empty lines", "many", "target", "unfinished target"],
)
async def test_more_is_refused_and_the_limit_named(
    serving: Served, pieces: tuple[bytes, ...], expected: tuple[int, str, int]
) -> None:
    assert await refused(serving, *pieces) == expected


async def test_a_header_of_100_mb_is_not_read_to_its_end(serving: Served) -> None:
    sent = 0
    async with wired(serving.port) as wire:
        try:
            await wire.send(b"GET / HTTP/1.1\r\nX: ")
            while sent < 100 << 20:
                await wire.send(b"a" * 65536)
                sent += 65536
        except ConnectionError:
            pass
    assert sent < UNDER_WAY
    assert (await serving.client.get("/health/live")).status_code == 200


async def test_what_is_behind_a_body_in_the_same_read_is_measured_by_itself(serving: Served) -> None:
    async with wired(serving.port) as wire:
        await wire.send(request("/v1/nowhere", method="POST", body=b"a" * 3 * HEADER_BYTES) + b"GET /health/live HT")
        assert (await wire.answer()).status == 404
        await wire.send(b"TP/1.1\r\n\r\n")
        assert (await wire.answer()).status == 200
        await wire.send(request() + padded(HEADER_BYTES + 1))
        assert (await wire.answer()).status == 200
        assert await wire.rest() == b""


async def test_what_began_behind_another_request_is_measured_as_a_whole(serving: Served) -> None:
    async with wired(serving.port) as wire:
        await wire.send(request() + request("/", "X: " + "a" * 2 * HEADER_BYTES)[:-2])
        assert (await wire.answer()).status == 200
        await wire.send(b"\r\n")
        assert (await wire.answer()).status == 431


CHUNKED = request("/v1/chat/completions", "Transfer-Encoding: chunked", "Expect: 100-continue", method="POST")


@pytest.mark.parametrize(
    "pieces",
    [
        [b"5;" + b"a" * 3_000, b"a" * 3_000],
        [b"5\r\nhello\r\n0\r\n", *(b"A: " + b"b" * 997 for _ in range(5))],
        [b"1;" + b"a" * 200 + b"\r\nx\r\n" for _ in range(100)],
    ],
    ids=["an extension", "trailers", "extensions"],
)
async def test_what_surrounds_a_body_in_chunks_is_limited_too(serving: Served, pieces: list[bytes]) -> None:
    async with wired(serving.port) as wire:
        # A key, lest the call be refused before its body has come.
        head = CHUNKED[:-2] + f"Authorization: {serving.client.headers['Authorization']}\r\n\r\n".encode()
        await wire.send(head)
        assert (await wire.answer()).status == 100
        for piece in pieces:
            await wire.send(piece)
            await asyncio.sleep(0.001)
        answer = await wire.answer()
        assert (answer.status, answer.problem["code"]) == TOO_LARGE[:2]
        assert await wire.rest() == b""
