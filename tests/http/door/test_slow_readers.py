"""A client that does not read its answer holds nothing for long: no money, no connection."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from omni_core import SetBudget, Window
from omni_core.bootstrap.settings.http import HttpSettings
from omni_core.domain.metering.api import CallStatus
from omni_core.testing.upstream import Script
from tests.http.door.test_requests import chat
from tests.http.serving import Served, served
from tests.http.wire import turned_away, wired
from tests.support.waiting import eventually

# More than the sockets of both ends hold.
LONG = Script(text="The quick brown fox. " * 600_000, pieces=300)
LIMITS = HttpSettings(send_s=0.5, grace_s=1)


@pytest.fixture
async def serving() -> AsyncIterator[Served]:
    async with served("long", limits=LIMITS) as serving:
        serving.upstream.script("long", LONG)
        await serving.omni.budgets.create(serving.principal, SetBudget(Window.MONTH, "1000"))
        yield serving


async def spending(serving: Served) -> tuple[int, int]:
    (status,) = await serving.omni.budgets.list(serving.principal)
    return status.spending.spent_picos, status.spending.reserved_picos


async def test_a_stream_that_nobody_reads_is_ended_charged_and_its_money_freed(serving: Served) -> None:
    async with wired(serving.port, receive_bytes=4096) as wire:
        await wire.send(chat(serving, stream=True, model="long"))

        async def is_charged() -> bool:
            return bool(serving.log.events)

        await eventually(is_charged)
        (event,) = serving.log.events
        assert event.status is CallStatus.INTERRUPTED
        assert serving.upstream.calls[-1].hung_up

        async def is_settled() -> bool:
            # Nothing is set aside in advance either, once there are no calls.
            return await spending(serving) == (event.cost_picos, 0)

        assert event.cost_picos > 0
        await eventually(is_settled)
        assert turned_away(serving.metrics.exposition()) == {"slow_reader": 1}


async def test_an_answer_in_one_piece_that_nobody_reads_is_let_go_of(serving: Served) -> None:
    async with wired(serving.port, receive_bytes=4096) as wire:
        await wire.send(chat(serving, stream=False, model="long"))

        async def is_let_go() -> bool:
            return turned_away(serving.metrics.exposition()) == {"slow_reader": 1}

        await eventually(is_let_go)
        (event,) = serving.log.events
        assert event.status is CallStatus.COMPLETED

        async def is_settled() -> bool:
            return await spending(serving) == (event.cost_picos, 0)

        await eventually(is_settled)


async def test_who_reads_slowly_gets_all_of_it(serving: Served) -> None:
    serving.upstream.script("long", Script(text="fox " * 500_000, pieces=50))
    async with wired(serving.port, receive_bytes=65536) as wire:
        await wire.send(chat(serving, stream=True, model="long"))
        read = b""
        while b"data: [DONE]" not in read[-100:]:
            read += await wire.some()
            await asyncio.sleep(0.005)
    assert read.count(b"fox") == 500_000
    assert serving.log.events[0].status is CallStatus.COMPLETED


async def test_the_last_answer_before_a_close_is_let_go_of_as_well(serving: Served) -> None:
    body = chat(serving, stream=False, model="long").replace(b"Host: omni", b"Connection: close")
    async with wired(serving.port, receive_bytes=4096) as wire:
        await wire.send(body)
        connections = serving.server.server_state.connections

        async def are_none_left() -> bool:
            return len(connections) == 0 and bool(serving.log.events)

        await eventually(are_none_left)
