"""Turns at reports: a few at once, none more than its share, tenants one after the other, and an end to waiting."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from omni_core.adapters.postgres.reports import TooManyReports, Turns
from omni_core.domain.kernel.tenancy import TenantId
from omni_core.testing.builders.kernel import a_tenant_id


class Hall:
    """Where reports are under way until the test ends them; `served` has their names in the order of their turns."""

    def __init__(self, turns: Turns) -> None:
        self.turns = turns
        self.served: list[str] = []
        self.under_way: dict[str, asyncio.Event] = {}
        self.tasks: dict[str, asyncio.Task[None]] = {}

    async def ask(self, tenant_id: TenantId, name: str) -> None:
        self.tasks[name] = asyncio.create_task(self._report(tenant_id, name))
        await settled()

    async def end(self, name: str) -> None:
        self.under_way.pop(name).set()
        await self.tasks[name]
        await settled()

    async def _report(self, tenant_id: TenantId, name: str) -> None:
        async with self.turns.turn(tenant_id):
            self.served.append(name)
            over = self.under_way[name] = asyncio.Event()
            await over.wait()


async def settled() -> None:
    """Let everybody run who can."""
    for _ in range(5):
        await asyncio.sleep(0)


@asynccontextmanager
async def hall(*, places: int, share: int, wait_s: float = 30.0, most_waiting: int = 100) -> AsyncIterator[Hall]:
    opened = Hall(Turns(places=places, share=share, wait_s=wait_s, most_waiting=most_waiting))
    try:
        yield opened
    finally:
        for task in opened.tasks.values():
            task.cancel()
        await asyncio.gather(*opened.tasks.values(), return_exceptions=True)


async def test_a_tenant_has_its_share_at_once_and_another_its_own() -> None:
    loud, quiet = a_tenant_id(), a_tenant_id()
    async with hall(places=4, share=2) as one:
        for number in range(5):
            await one.ask(loud, f"loud {number}")
        await one.ask(quiet, "quiet")
        assert one.served == ["loud 0", "loud 1", "quiet"]


async def test_a_place_goes_to_the_tenant_whose_last_one_was_longest_ago() -> None:
    loud, quiet, third = a_tenant_id(), a_tenant_id(), a_tenant_id()
    async with hall(places=1, share=1) as one:
        for number in range(4):
            await one.ask(loud, f"loud {number}")
        await one.ask(quiet, "quiet 0")
        await one.ask(quiet, "quiet 1")
        await one.ask(third, "third")
        for _ in range(7):
            await one.end(one.served[-1])
        assert one.served == ["loud 0", "loud 1", "quiet 0", "third", "loud 2", "quiet 1", "loud 3"]


async def test_whoever_waits_too_long_is_told_when_to_come_back() -> None:
    tenant_id = a_tenant_id()
    async with hall(places=1, share=1, wait_s=0.01) as one:
        await one.ask(tenant_id, "first")
        with pytest.raises(TooManyReports) as refused:
            async with one.turns.turn(tenant_id):
                pytest.fail("it had a turn")
        assert refused.value.fields["retry_after_s"] >= 1
        assert refused.value.retryable
        await one.end("first")
        await one.ask(tenant_id, "second")
        assert one.served == ["first", "second"]


async def test_no_more_wait_than_may() -> None:
    tenant_id = a_tenant_id()
    async with hall(places=1, share=1, most_waiting=2) as one:
        for number in range(3):
            await one.ask(tenant_id, f"report {number}")
        with pytest.raises(TooManyReports):
            async with one.turns.turn(tenant_id):
                pytest.fail("it had a turn")
        await one.ask(a_tenant_id(), "somebody else's")
        assert not one.tasks["somebody else's"].done()


async def test_who_leaves_while_waiting_takes_no_turn() -> None:
    tenant_id = a_tenant_id()
    async with hall(places=1, share=1) as one:
        for name in ("first", "leaves", "stays"):
            await one.ask(tenant_id, name)
        one.tasks["leaves"].cancel()
        await settled()
        await one.end("first")
        assert one.served == ["first", "stays"]


async def test_who_leaves_when_just_called_passes_the_turn_on() -> None:
    tenant_id = a_tenant_id()
    async with hall(places=1, share=1) as one:
        for name in ("first", "leaves", "stays"):
            await one.ask(tenant_id, name)
        one.under_way.pop("first").set()
        one.tasks["leaves"].cancel()
        await settled()
        assert one.served == ["first", "stays"]
        await one.end("stays")
        await one.ask(tenant_id, "later")
        assert one.served[-1] == "later"
