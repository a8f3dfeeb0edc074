"""The server is killed under load, again and again: what clients have received is recorded, once, and nothing leaks."""

import asyncio
import itertools
import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from omni_core import PageRequest, UsageQuery
from omni_core.adapters.postgres.budgets import PostgresLeases
from omni_core.adapters.postgres.tables.budgets import budget_lease
from omni_core.adapters.postgres.uow import PostgresUnitOfWork, connection_of
from omni_core.adapters.system import SystemClock, SystemIds
from omni_core.domain.budgets.api import BudgetStatus
from omni_core.domain.budgets.lease import LEASE_S
from omni_core.domain.budgets.model import Pot
from omni_core.domain.budgets.ports import Need, Wish
from omni_core.domain.llm.api import TokenUsage
from omni_core.domain.metering.api import UsageEvent
from omni_core.testing.upstream import Script
from tests.support.installation import Customer, Installation, calling
from tests.support.program import Program

KILLS = 20
CLIENTS = 8
CALLS_BEFORE_A_KILL = 3 * CLIENTS
# A start takes longer than a server lives, so that the next ones start meanwhile.
AHEAD = 3
USAGE = {"small": TokenUsage(1_100, 13), "tiered": TokenUsage(1_700, 19)}
# In 10⁻¹² of a dollar: 1,100 × 150,000 + 13 × 600,000, and 1,700 × 5,000,000 + 19 × 22,500,000.
COST = {"small": 172_800_000, "tiered": 8_927_500_000}

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


class Load:
    """Clients that call until their server is gone. `completed` maps the calls that were answered to their model."""

    def __init__(self, key: str) -> None:
        self._key = key
        self._numbers = itertools.count()
        self._answered = asyncio.Semaphore(0)
        self.begun: set[str] = set()
        self.completed: dict[str, str] = {}

    async def until_the_end_of(self, server: Program) -> None:
        async with calling(server, self._key) as client, asyncio.TaskGroup() as clients:
            for number in range(CLIENTS):
                clients.create_task(self._call_on(client, list(USAGE)[number % 2], streamed=number % 4 < 2))

    async def completes(self, calls: int) -> None:
        """Wait for so many more calls to be answered."""
        self._answered = asyncio.Semaphore(0)
        async with asyncio.timeout(60):
            for _ in range(calls):
                await self._answered.acquire()

    async def _call_on(self, client: httpx.AsyncClient, model: str, *, streamed: bool) -> None:
        call = self._streamed if streamed else self._whole
        while True:
            request_id = f"kill-{next(self._numbers)}"
            self.begun.add(request_id)
            body = {"model": model, "stream": streamed, "messages": [{"role": "user", "content": request_id}]}
            try:
                await call(client, request_id, body)
            except httpx.TransportError:
                return
            self.completed[request_id] = model
            self._answered.release()

    async def _whole(self, client: httpx.AsyncClient, request_id: str, body: dict[str, Any]) -> None:
        answer = await client.post("/v1/chat/completions", json=body, headers={"X-Request-ID": request_id})
        assert answer.status_code == 200, answer.text
        assert answer.headers["x-request-id"] == request_id
        assert answer.json()["choices"][0]["finish_reason"] == "stop"

    async def _streamed(self, client: httpx.AsyncClient, request_id: str, body: dict[str, Any]) -> None:
        """Return once the answer's finish has come; the end of the response may well be cut off."""
        headers = {"X-Request-ID": request_id}
        async with client.stream("POST", "/v1/chat/completions", json=body, headers=headers) as answer:
            assert answer.status_code == 200
            async for line in answer.aiter_lines():
                if line.startswith("data: {") and json.loads(line[6:])["choices"][0]["finish_reason"] == "stop":
                    return
        raise httpx.ReadError("the stream ended without a finish")


@pytest.fixture(scope="module")
async def spender(installation: Installation) -> Customer:
    customer = await installation.customer()
    await installation.budget(customer, "1000")
    for model, usage in USAGE.items():
        installation.upstream.script(model, Script(usage=usage, first_delay_s=0.05, delay_s=0.01))
    return customer


@pytest.fixture(scope="module")
async def load(installation: Installation, spender: Customer) -> Load:
    """The load, after the last server has gone."""
    load = Load(spender.key)
    servers = [Program(installation.home, installation.settings) for _ in range(KILLS)]
    try:
        for number, server in enumerate(servers):
            for upcoming in servers[number : number + AHEAD]:
                upcoming.start()
            await server.ready()
            calls = asyncio.create_task(load.until_the_end_of(server))
            await load.completes(CALLS_BEFORE_A_KILL)
            server.kill()
            await calls
    finally:
        for server in servers:
            server.kill()
    return load


@pytest.fixture(scope="module")
async def events(installation: Installation, spender: Customer, load: Load) -> list[UsageEvent]:
    """Everything that was recorded."""
    now = datetime.now(UTC)
    query = UsageQuery(now - timedelta(days=1), now + timedelta(days=1))
    found: list[UsageEvent] = []
    cursor = None
    while True:
        page = await installation.omni.metering.events(spender.principal, query, PageRequest(500, cursor))
        found += page.items
        cursor = page.next_cursor
        if cursor is None:
            return found


async def test_what_was_completed_is_recorded_exactly_once(load: Load, events: list[UsageEvent]) -> None:
    recorded = Counter(event.request_id for event in events)
    assert len(load.completed) >= KILLS * CALLS_BEFORE_A_KILL
    assert [call for call in load.completed if recorded[call] != 1] == []
    assert [call for call, times in recorded.items() if times != 1] == []
    assert recorded.keys() <= load.begun
    # There were calls under way at each kill, so that the test has shown something.
    assert len(load.begun) - len(load.completed) == KILLS * CLIENTS


async def test_what_was_recorded_is_what_was_used(load: Load, events: list[UsageEvent]) -> None:
    for event in events:
        usage = USAGE[event.model]
        assert load.completed.get(event.request_id, event.model) == event.model
        assert (event.quantities.input, event.quantities.output) == (usage.input_tokens, usage.output_tokens)
        assert event.cost_picos == COST[event.model]
        assert not event.estimated


async def test_the_budget_has_spent_what_was_recorded(
    installation: Installation, spender: Customer, events: list[UsageEvent]
) -> None:
    (budget,) = await installation.omni.budgets.list(spender.principal)
    assert budget.spending.spent_picos == sum(event.cost_picos for event in events)


async def test_what_killed_servers_had_set_aside_comes_back(
    installation: Installation, spender: Customer, events: list[UsageEvent]
) -> None:
    assert installation.omni.database is not None
    database, ids = installation.omni.database, SystemIds()
    uow = PostgresUnitOfWork(database.engine, SystemClock(), ids)

    async def status() -> BudgetStatus:
        (found,) = await installation.omni.budgets.list(spender.principal)
        return found

    held = await status()
    assert held.spending.reserved_picos > 0
    assert held.period_start is not None
    # Every lease lapses within 15 s by the database's clock, which no test can turn: so they are made to be older.
    of_spender = budget_lease.c.tenant_id == spender.id
    lasting = budget_lease.c.expires_at - sa.func.clock_timestamp()
    async with uow(spender.id) as tx:
        longest = await connection_of(tx).execute(sa.select(sa.func.max(lasting)).where(of_spender))
        assert longest.scalar_one() <= timedelta(seconds=15)
        older = budget_lease.c.expires_at - timedelta(seconds=15)
        await connection_of(tx).execute(sa.update(budget_lease).where(of_spender).values(expires_at=older))
    lapsed = await status()
    left = lapsed.budget.limit.picos - sum(event.charge_picos for event in events)
    assert (lapsed.spending.reserved_picos, lapsed.remaining_picos) == (0, left)
    # And not only by the look of it: whoever asks for all of that is given it, and not a millionth of a cent more.
    wish = Wish(Pot(spender.id, held.budget.id, held.period_start), ids.new())
    needs = [Need(left + 1, (0,)), Need(left, (0,))]
    (grant,) = (await PostgresLeases(database.pool).acquire([wish], needs, LEASE_S)).each
    assert grant is not None
    assert grant.granted_picos == left
