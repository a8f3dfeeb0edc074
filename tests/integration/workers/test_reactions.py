"""Workers that are killed in the middle of their reactions, and what their subscriptions did all the same."""

import asyncio
import itertools
import os
import signal
import subprocess
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest

from omni_core.adapters.postgres.engine import open_database
from omni_core.domain.events.api import Events, EventStorage
from omni_core.domain.events.events import EventSetAside
from omni_core.domain.kernel.pages import PageRequest
from omni_core.domain.kernel.tenancy import Principal
from omni_core.testing.builders.kernel import a_tenant_id
from tests.integration.workers.conftest import ROOT
from tests.integration.workers.reacting import EFFECTS, POISON, SUBSCRIPTIONS, Often, Seldom, storage_on
from tests.support.database import connected
from tests.support.waiting import eventually

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

TENANTS = [a_tenant_id() for _ in range(4)]
AGGREGATES = [a_tenant_id() for _ in range(10)]
TRANSACTIONS = 10
IN_EACH = 250
KILLS = 20
Effects = dict[tuple[str, UUID, UUID], list[UUID]]


class Nursery:
    """Starts workers."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def start(self) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("one more\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())


@contextmanager
def nursery(url: str) -> Iterator[Nursery]:
    command = [sys.executable, str(Path(__file__).with_name("reacting.py")), url]
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'src'}"}
    with subprocess.Popen(
        command, env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        yield Nursery(process)


@pytest.fixture
async def owner(fresh_database_url: str) -> AsyncIterator[asyncpg.Connection]:
    async with connected(fresh_database_url) as connection:
        await connection.execute(EFFECTS)
        yield connection


@pytest.fixture
async def storage(fresh_database_url: str) -> AsyncIterator[EventStorage]:
    async with open_database(fresh_database_url) as database:
        yield storage_on(database)


async def record_everything(storage: EventStorage) -> None:
    """Record 10,000 events, one of them poison, in big transactions."""
    numbers = itertools.count()
    for tenant_id in TENANTS * TRANSACTIONS:
        async with storage.uow(tenant_id) as tx:
            for number in itertools.islice(numbers, IN_EACH):
                kind = Seldom if number % 5 == 0 else Often
                await tx.record(kind(AGGREGATES[number % 7], POISON if number == 5_000 else number))
        await asyncio.sleep(0.1)


async def effects(owner: asyncpg.Connection) -> Effects:
    found: Effects = defaultdict(list)
    for row in await owner.fetch("select * from effect order by place"):
        found[row["subscription"], row["tenant_id"], row["aggregate_id"]].append(row["event_id"])
    return found


async def wanted(owner: asyncpg.Connection) -> tuple[Effects, asyncpg.Record]:
    """Return what each subscription should do, in order, and the poison."""
    expected: Effects = defaultdict(list)
    events = await owner.fetch("select * from event where event_type like 'testing.%' order by seq")
    (poison,) = [row for row in events if f'"number": {POISON}' in row["data"]]
    for row, subscription in itertools.product(events, SUBSCRIPTIONS):
        if row["event_type"] in subscription.event_types:
            expected[subscription.name, row["tenant_id"], row["aggregate_id"]].append(row["id"])
    return expected, poison


async def test_each_event_has_its_effect_once_and_in_order_however_often_workers_are_killed(
    fresh_database_url: str, owner: asyncpg.Connection, storage: EventStorage
):
    async def is_quiet() -> bool:
        due: int = await owner.fetchval("select count(*) from event_head where due_at is not null")
        return due == 0

    with nursery(fresh_database_url) as workers:
        running = [workers.start(), workers.start()]
        recording = asyncio.create_task(record_everything(storage))
        for kill in range(KILLS):
            await asyncio.sleep(0.1 + kill * 7 % KILLS / KILLS * 0.3)
            os.kill(running.pop(0), signal.SIGKILL)
            running.append(workers.start())
        await recording
        await eventually(is_quiet, 60)
        await expect_all_but_what_the_poison_holds(owner, storage)
        expected, poison = await wanted(owner)
        operator = Principal.operator(poison["tenant_id"])
        await Events(storage, SUBSCRIPTIONS).skip(operator, "testing.all", poison["id"])
        await eventually(is_quiet, 60)
        for pid in running:
            os.kill(pid, signal.SIGTERM)
    expected["testing.all", poison["tenant_id"], poison["aggregate_id"]].remove(poison["id"])
    assert await effects(owner) == expected
    assert await owner.fetchval("select count(*) from event_held") == 0


async def expect_all_but_what_the_poison_holds(owner: asyncpg.Connection, storage: EventStorage) -> None:
    """Check that nobody but its own aggregate waits for the poison, which is set aside and told of."""
    expected, poison = await wanted(owner)
    assert sum(map(len, expected.values())) == 2 * len(TENANTS) * TRANSACTIONS * IN_EACH
    stuck = expected["testing.all", poison["tenant_id"], poison["aggregate_id"]]
    behind = stuck[stuck.index(poison["id"]) + 1 :]
    del stuck[stuck.index(poison["id"]) :]
    assert await effects(owner) == expected
    service, operator = Events(storage, SUBSCRIPTIONS), Principal.operator(poison["tenant_id"])
    states = {state.name: state for state in await service.subscriptions(operator)}
    assert (states["testing.all"].set_aside, states["testing.all"].behind) == (1, len(behind))
    assert len(behind) > 0
    held = (await service.held(operator, "testing.all", PageRequest(limit=500))).items[-1]
    assert (held.event_id, held.attempts) == (poison["id"], 3)
    told = await owner.fetch("select * from event where event_type = $1", EventSetAside.event_type)
    assert [row["aggregate_id"] for row in told] == [poison["id"]]
