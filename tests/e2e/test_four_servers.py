"""Four servers under load, callers who hang up, and a server that is killed: nothing is lost, doubled or overspent."""

import asyncio
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import httpx

from omni_core import PageRequest, SetBudget, UsageEvent, UsageQuery, Window
from omni_core.domain.kernel.pages import MAX_LIMIT
from omni_core.domain.llm.api import TokenUsage
from omni_core.testing.upstream import Script
from tests.support.installation import Customer, Installation, calling
from tests.support.waiting import eventually

SERVERS = 4
CALLS = 160
KILL_AFTER = 24
# A call of `open-ended` costs a cent and a hundredth of one for each token: not all fit into the budgets.
LIMITS = {Window.MONTH: "0.90", Window.DAY: "0.80"}
ANSWER = Script(text="It rains in Paris. " * 8, usage=TokenUsage(30, 10), pieces=8, delay_s=0.02)
ASKED = {"model": "open-ended", "stream": True, "max_tokens": 100, "messages": [{"role": "user", "content": "Go."}]}
LEASES_LAPSE_WITHIN_S = 40


class Load:
    """What callers have heard: ids of answers that came whole, and of those that they left, with the server's place."""

    def __init__(self) -> None:
        self.whole: list[UUID] = []
        self.left: dict[UUID, int] = {}
        self.refused = 0

    async def call(self, client: httpx.AsyncClient, server: int, *, leaves: bool) -> None:
        async with client.stream("POST", "/v1/chat/completions", json=ASKED) as answer:
            if answer.status_code != 200:
                assert answer.status_code == 429
                self.refused += 1
                return
            call_id, came = None, ""
            async for text in answer.aiter_text():
                came += text
                if call_id is None and '"id":"chatcmpl-' in came:
                    call_id = UUID(came.partition('"id":"chatcmpl-')[2][:32])
                    if leaves:
                        self.left[call_id] = server
                        return
            if call_id is not None and came.rstrip().endswith("data: [DONE]"):
                self.whole.append(call_id)


async def events_of(installation: Installation, customer: Customer) -> list[UsageEvent]:
    now = datetime.now(UTC)
    query = UsageQuery(now - timedelta(days=1), now + timedelta(days=1))
    page = await installation.omni.metering.events(customer.principal, query, PageRequest(MAX_LIMIT))
    assert page.next_cursor is None
    return list(page.items)


async def test_what_four_servers_were_heard_to_answer_is_on_record_once_and_within_the_budgets(
    installation: Installation, customer: Customer
) -> None:
    installation.upstream.script("open-ended", ANSWER)
    for window, limit in LIMITS.items():
        await installation.omni.budgets.create(customer.principal, SetBudget(window, limit))
    load = Load()
    async with AsyncExitStack() as stack:
        servers = [await stack.enter_async_context(installation.program()) for _ in range(SERVERS)]
        clients = [await stack.enter_async_context(calling(server, customer.key)) for server in servers]
        calls = [
            asyncio.create_task(
                load.call(clients[number % SERVERS], number % SERVERS, leaves=number // SERVERS % 3 == 0)
            )
            for number in range(CALLS)
        ]

        async def some_are_through() -> bool:
            return len(load.whole) + len(load.left) >= KILL_AFTER

        await eventually(some_are_through)
        servers[-1].kill()
        ended = await asyncio.gather(*calls, return_exceptions=True)
        broken = [number for number, error in enumerate(ended) if error is not None]
        # Only who asked the server that was killed has lost anything.
        assert {number % SERVERS for number in broken} <= {SERVERS - 1}
        assert not [error for error in ended if error is not None and not isinstance(error, httpx.TransportError)]

        async def nothing_is_set_aside() -> bool:
            budgets = await installation.omni.budgets.list(customer.principal)
            return all(one.spending.reserved_picos == 0 for one in budgets)

        await eventually(nothing_is_set_aside, LEASES_LAPSE_WITHIN_S)
        events = await events_of(installation, customer)
        budgets = await installation.omni.budgets.list(customer.principal)
    recorded = {event.id for event in events}
    assert len(recorded) == len(events)
    assert load.whole
    assert set(load.whole) <= recorded
    # Who left a server that went on is charged; what was left at the one that was killed may have gone with it.
    left = {call_id for call_id, server in load.left.items() if server != SERVERS - 1}
    assert left
    assert left <= recorded
    spent = sum(event.charge_picos for event in events)
    assert {one.spending.spent_picos for one in budgets} == {spent}
    assert spent <= Decimal(LIMITS[Window.DAY]).scaleb(12)
    assert load.refused > 0
