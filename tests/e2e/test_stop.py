"""A server that is told to stop while calls are under way."""

import asyncio
import json
import signal
from datetime import UTC, datetime, timedelta

import httpx

from omni_core import PageRequest, UsageQuery
from omni_core.domain.metering.api import CallStatus
from omni_core.testing.upstream import Script
from tests.support.installation import Customer, Installation, calling
from tests.support.waiting import eventually

SILENT = Script(first_delay_s=60)
ENDLESS = Script(text="word " * 2_000, pieces=2_000, delay_s=0.05)


async def test_calls_that_take_longer_than_the_grace_are_told_and_charged(
    installation: Installation, customer: Customer
) -> None:
    installation.upstream.script("small", SILENT)
    installation.upstream.script("tiered", ENDLESS)
    lines: list[str] = []
    async with installation.program(OMNI_HTTP_GRACE_S="0.5") as server, calling(server, customer.key) as client:

        async def read() -> None:
            body = {"model": "tiered", "stream": True, "messages": [{"role": "user", "content": "Go on"}]}
            async with client.stream("POST", "/v1/chat/completions", json=body) as answer:
                lines.extend([line async for line in answer.aiter_lines() if line])

        async def ask() -> httpx.Response:
            body = {"model": "small", "messages": [{"role": "user", "content": "Well?"}]}
            return await client.post("/v1/chat/completions", json=body)

        before = len(installation.upstream.calls)
        reading, asking = asyncio.create_task(read()), asyncio.create_task(ask())

        async def are_under_way() -> bool:
            return len(installation.upstream.calls) == before + 2

        await eventually(are_under_way)
        await asyncio.sleep(0.3)
        assert await server.stop() == -signal.SIGTERM
        answer = await asking
        await reading
    assert (answer.status_code, answer.json()["code"]) == (503, "http.server_stopping")
    assert json.loads(lines[-1].removeprefix("data: "))["error"]["code"] == "http.server_stopping"
    now = datetime.now(UTC)
    query = UsageQuery(now - timedelta(days=1), now + timedelta(days=1))
    page = await installation.omni.metering.events(customer.principal, query, PageRequest())
    assert [event.status for event in page.items] == [CallStatus.INTERRUPTED]
    assert page.items[0].cost_picos > 0
    assert "Traceback" not in server.log
    assert "calls cut off" in server.log
