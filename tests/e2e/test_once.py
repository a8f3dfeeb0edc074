"""Exactly once for the client, with several servers: who asks at once, and who asks again after a server was killed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import httpx
import msgspec
import pytest

from omni_core import OPERATOR, AddModel, PageRequest, UsageQuery
from omni_core.domain.kernel.clock import parse_moment
from omni_core.domain.llm.api import TokenUsage
from omni_core.domain.metering.api import UsageEvent
from omni_core.testing.upstream import Script
from tests.support.installation import Customer, Installation, calling
from tests.support.program import Program
from tests.support.waiting import eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

MODEL = "slow-at-first"
EVER = UsageQuery(parse_moment("2020-01-01", "since"), parse_moment("2120-01-01", "until"))
ANSWER = Script(usage=TokenUsage(30, 10), first_delay_s=0.5)
ENDLESS = {
    False: msgspec.structs.replace(ANSWER, first_delay_s=60.0),
    True: msgspec.structs.replace(ANSWER, first_delay_s=0.0, delay_s=60.0),
}


@pytest.fixture(scope="module")
async def model(installation: Installation) -> str:
    await installation.omni.catalogue.add_model(OPERATOR, AddModel(MODEL, "fake", {"input": "1", "output": "2"}))
    return MODEL


@pytest.fixture
async def servers(installation: Installation, model: str) -> AsyncIterator[list[Program]]:
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(installation.program()) for _ in range(2)]


def body(*, streamed: bool = False) -> dict[str, Any]:
    return {"model": MODEL, "stream": streamed, "messages": [{"role": "user", "content": "Go."}]}


async def post(client: httpx.AsyncClient, key: str, *, streamed: bool = False) -> httpx.Response:
    return await client.post("/v1/chat/completions", json=body(streamed=streamed), headers={"Idempotency-Key": key})


async def usage(installation: Installation, customer: Customer) -> tuple[UsageEvent, ...]:
    return (await installation.omni.metering.events(customer.principal, EVER, PageRequest())).items


def upstream_calls(installation: Installation) -> int:
    return sum(call.model == MODEL for call in installation.upstream.calls)


async def test_twenty_who_ask_two_servers_at_once(
    installation: Installation, customer: Customer, servers: list[Program]
):
    installation.upstream.script(MODEL, ANSWER)
    before = upstream_calls(installation)
    async with calling(servers[0], customer.key) as one, calling(servers[1], customer.key) as other:
        answers = await asyncio.gather(*(post((one, other)[number % 2], "k") for number in range(20)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert sum("idempotent-replayed" not in answer.headers for answer in answers) == 1
    assert upstream_calls(installation) == before + 1
    assert len(await usage(installation, customer)) == 1


@pytest.mark.parametrize("streamed", [False, True])
async def test_who_asks_again_after_a_kill_is_answered_and_charged_once(
    installation: Installation, customer: Customer, servers: list[Program], streamed: bool
):
    installation.upstream.script(MODEL, ENDLESS[streamed])
    before = upstream_calls(installation)

    async def began() -> bool:
        return upstream_calls(installation) > before

    async with calling(servers[0], customer.key) as client:
        asking = asyncio.create_task(post(client, "k", streamed=streamed))
        await eventually(began)
        servers[0].kill()
        with pytest.raises(httpx.TransportError):
            await asking
    installation.upstream.script(MODEL, ANSWER)
    async with calling(servers[1], customer.key) as client:
        answers = [await post(client, "k", streamed=streamed) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].content == answers[1].content
    assert ["idempotent-replayed" in answer.headers for answer in answers] == [False, True]
    assert upstream_calls(installation) == before + 2
    (event,) = await usage(installation, customer)
    assert event.id.hex in answers[0].text
