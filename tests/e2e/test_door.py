"""The started server, besieged: it serves others meanwhile, and is rid of the besiegers soon."""

import asyncio
from contextlib import AsyncExitStack

from tests.http.wire import turned_away, wired
from tests.support.installation import Installation, calling
from tests.support.program import Program

HALVES = 900
HEADER_BYTES = 100 << 20
# What the sockets of both ends hold, and a read or two.
UNDER_WAY = 16 << 20


async def half_requests(port: int) -> list[int]:
    """Begin requests and never end them; return what was answered to each."""
    async with AsyncExitStack() as stack:
        wires = []
        for _ in range(HALVES):
            wires.append(await stack.enter_async_context(wired(port)))
            await wires[-1].send(b"GET /health/live HTTP/1.1\r\nA: ")
        statuses = []
        for wire in wires:
            statuses.append((await wire.answer()).status)
            assert await wire.rest() == b""
        return statuses


async def endless_header(port: int) -> int:
    """Send one header of 100 MB; return how much of it was taken."""
    sent = 0
    async with wired(port) as wire:
        try:
            await wire.send(b"GET /health/live HTTP/1.1\r\nX: ")
            while sent < HEADER_BYTES:
                await wire.send(b"a" * 65536)
                sent += 65536
        except ConnectionError:
            pass
    return sent


async def test_half_requests_and_endless_headers_are_ended_while_others_are_served(installation: Installation) -> None:
    async with installation.program(OMNI_HTTP_HEAD_S="3") as server, calling(server) as client:
        port = port_of(server)
        halves = asyncio.create_task(half_requests(port))
        headers = [asyncio.create_task(endless_header(port)) for _ in range(3)]
        served = 0
        while not all(one.done() for one in (halves, *headers)):
            assert (await client.get("/health/live")).status_code == 200
            served += 1
            await asyncio.sleep(0.02)
        assert await halves == [408] * HALVES
        assert max([await one for one in headers]) < UNDER_WAY
        assert served > 0
        counted = turned_away((await client.get("/metrics")).content)
        assert counted == {"request_timed_out": HALVES, "headers_too_large": 3}
    assert server.log.count('"turned away"') <= 3


def port_of(server: Program) -> int:
    return int(server.url.rpartition(":")[2])
