"""The look at every connection's time."""

import asyncio
import math
import time
from collections.abc import AsyncIterator

import pytest

from omni_core.adapters.telemetry.metrics import Metrics
from omni_core.bootstrap.settings.http import HttpSettings
from omni_http.door.keeper import Doorkeeper
from tests.support.waiting import eventually


class Waiting:
    """A connection on which something has to happen."""

    def __init__(self) -> None:
        self.deadline = math.inf
        self.unread_until = math.inf
        self.looked_at: list[float] = []

    def overdue(self, now: float) -> None:
        self.looked_at.append(now)
        self.deadline = self.unread_until = math.inf


@pytest.fixture
async def connection() -> AsyncIterator[Waiting]:
    """A connection that is watched, in rounds as short as they may be."""
    connection = Waiting()
    keeper = Doorkeeper(HttpSettings(head_s=0.02), Metrics())
    watching = asyncio.create_task(keeper.watch(lambda: [connection]))
    await asyncio.sleep(2 * keeper.round_s)
    yield connection
    watching.cancel()
    await asyncio.wait([watching])


@pytest.mark.parametrize("moment", ["deadline", "unread_until"])
async def test_what_is_overdue_is_acted_on_once(connection: Waiting, moment: str) -> None:
    due = asyncio.get_running_loop().time() + 0.05
    setattr(connection, moment, due)

    async def is_looked_at() -> bool:
        return bool(connection.looked_at)

    await eventually(is_looked_at)
    assert connection.looked_at[0] >= due
    await asyncio.sleep(0.1)
    assert len(connection.looked_at) == 1


async def test_nobody_is_late_because_the_server_was_busy(connection: Waiting) -> None:
    connection.deadline = asyncio.get_running_loop().time() + 0.1
    time.sleep(0.5)  # noqa: ASYNC251 - the loop is busy
    for _ in range(3):
        await asyncio.sleep(0)
    # What came meanwhile is read now.
    assert connection.looked_at == []
    connection.deadline = math.inf


async def test_a_server_that_is_always_busy_looks_all_the_same(connection: Waiting) -> None:
    connection.deadline = asyncio.get_running_loop().time()
    for _ in range(10):
        time.sleep(0.1)  # noqa: ASYNC251 - the loop is busy
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    assert connection.looked_at != []
