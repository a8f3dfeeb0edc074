"""What a desk does when the database answers late, not at all, or its answer is lost."""

import asyncio
from collections.abc import Coroutine, Sequence
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

import pytest

from omni_core.adapters.memory.budgets import MemoryLeases
from omni_core.adapters.postgres.connecting import DatabaseUnavailable
from omni_core.domain.budgets.api import BudgetExhausted
from omni_core.domain.budgets.held import IDLE_S
from omni_core.domain.budgets.lease import LEASE_S, RENEW_AFTER_S
from omni_core.domain.budgets.model import Pot
from omni_core.domain.budgets.ports import Grants, Leases, Need, Renewal, Wish

T = TypeVar("T")
BEFORE, AFTER = "before", "after"


class Unreliable:
    """Leases whose database fails on order: `before` it has done what it was asked to, or `after`."""

    def __init__(self, inner: Leases) -> None:
        self._inner = inner
        self.failing = ""
        self.calls = 0
        self.go_on = asyncio.Event()
        self.go_on.set()

    async def acquire(self, wishes: Sequence[Wish], needs: Sequence[Need], lasting_s: float) -> Grants:
        return await self._do(self._inner.acquire(wishes, needs, lasting_s))

    async def give_back(self, returns: Sequence[tuple[Pot, UUID, int]]) -> None:
        await self._do(self._inner.give_back(returns))

    async def renew(self, leases: Sequence[tuple[Pot, UUID]], lasting_s: float) -> Renewal:
        return await self._do(self._inner.renew(leases, lasting_s))

    async def now(self) -> datetime:
        return await self._inner.now()

    async def _do(self, action: Coroutine[Any, Any, T]) -> T:
        self.calls += 1
        if self.failing == BEFORE:
            action.close()
            raise DatabaseUnavailable
        done = await action
        await self.go_on.wait()
        if self.failing == AFTER:
            raise DatabaseUnavailable
        return done


@pytest.fixture
def leases(memory):
    return Unreliable(memory.make(MemoryLeases))


@pytest.fixture
async def budget(till):
    return await till.budget(100)


@pytest.fixture
def desk(till, leases):
    return till.desk(leases=leases)


@pytest.mark.parametrize("failing", [BEFORE, AFTER])
async def test_a_call_fails_whose_money_nobody_granted(till, budget, desk, leases, memory, failing):
    leases.failing = failing
    with pytest.raises(DatabaseUnavailable):
        await till.reserve(desk, 100)
    leases.failing = ""
    memory.clock.advance(LEASE_S)
    await till.spend(await till.reserve(desk, 100), 100)
    assert await till.spending(budget) == (100, 0)


async def test_a_lease_in_use_outlives_a_lost_answer(till, budget, desk, leases, memory):
    first = await till.reserve(desk, 30)
    leases.failing = AFTER
    with pytest.raises(DatabaseUnavailable):
        await till.reserve(desk, 20)
    leases.failing = ""
    for _ in range(5):
        memory.clock.advance(RENEW_AFTER_S)
        await desk.maintain()
    # 20 were granted to nobody, on the lease that the first call keeps alive.
    with pytest.raises(BudgetExhausted):
        await till.reserve(desk, 51)
    await till.spend(first, 30)
    memory.clock.advance(LEASE_S)
    await desk.maintain()
    await till.spend(await till.reserve(desk, 70), 70)
    assert await till.spending(budget) == (100, 0)


async def test_a_failure_frees_what_was_taken_before(till, desk, leases, memory, budget):
    (await till.reserve(desk, 40)).settle(0)
    await till.budget(100, key_id=till.principal.key_id)
    memory.clock.advance(0.5)
    leases.failing = BEFORE
    with pytest.raises(DatabaseUnavailable):
        await till.reserve(desk, 40)
    leases.failing = ""
    await desk.close()
    assert await till.spending(budget) == (0, 0)


async def test_a_caller_who_leaves_while_asking_leaks_nothing(till, budget, desk, leases, memory):
    leases.go_on.clear()
    leaving = asyncio.create_task(till.reserve(desk, 60))
    await asyncio.sleep(0.01)
    leaving.cancel()
    await asyncio.wait([leaving])
    assert leaving.cancelled()
    assert await till.spending(budget) == (0, 60)
    leases.go_on.set()
    await asyncio.sleep(0.01)
    await till.spend(await till.reserve(desk, 60), 60)
    assert leases.calls == 1
    assert await till.spending(budget) == (60, 0)


async def test_a_caller_who_leaves_while_waiting_leaks_nothing(till, budget, memory):
    desk = till.desk(wait_s=60)
    first = await till.reserve(desk, 100)
    waiting = [asyncio.create_task(till.reserve(desk, 50)) for _ in range(3)]
    await asyncio.sleep(0.05)
    waiting[0].cancel()
    await till.spend(first, 0)
    await asyncio.gather(*waiting[1:])
    assert waiting[0].cancelled()
    assert await till.spending(budget) == (0, 100)


async def test_closing_waits_for_an_answer_and_gives_it_back(till, budget, desk, leases):
    leases.go_on.clear()
    leaving = asyncio.create_task(till.reserve(desk, 60))
    await asyncio.sleep(0.01)
    leaving.cancel()
    closing = asyncio.create_task(desk.close())
    await asyncio.sleep(0.01)
    assert not closing.done()
    leases.go_on.set()
    await closing
    assert await till.spending(budget) == (0, 0)


@pytest.mark.parametrize("failing", [BEFORE, AFTER])
async def test_what_could_not_be_given_back_lapses(till, budget, desk, leases, memory, failing):
    held = await till.reserve(desk, 20)
    (await till.reserve(desk, 60)).settle(0)
    memory.clock.advance(IDLE_S)
    leases.failing = failing
    with pytest.raises(DatabaseUnavailable):
        await desk.maintain()
    leases.failing = ""
    await till.spend(held, 20)
    memory.clock.advance(LEASE_S)
    await desk.maintain()
    await till.spend(await till.reserve(desk, 80), 80)
    assert await till.spending(budget) == (100, 0)


async def test_a_renewal_that_fails_is_tried_again(till, budget, desk, leases, memory):
    reservation = await till.reserve(desk, 100)
    memory.clock.advance(RENEW_AFTER_S)
    leases.failing = BEFORE
    with pytest.raises(DatabaseUnavailable):
        await desk.maintain()
    leases.failing = ""
    memory.clock.advance(1)
    await desk.maintain()
    memory.clock.advance(LEASE_S - RENEW_AFTER_S)
    with pytest.raises(BudgetExhausted):
        await till.reserve(till.desk(), 1)
    await till.spend(reservation, 100)
    assert await till.spending(budget) == (100, 0)


async def test_a_call_outlives_the_lease_that_was_taken_back(till, budget, desk, memory):
    stalled = await till.reserve(desk, 60)
    memory.clock.advance(LEASE_S)
    other = await till.reserve(till.desk(), 30)
    await desk.maintain()
    await till.spend(stalled, 60)
    assert await till.spending(budget) == (60, 30)
    with pytest.raises(BudgetExhausted):
        await till.reserve(desk, 11)
    await till.reserve(desk, 10)
    await till.spend(other, 30)


async def test_leases_are_asked_for_once_for_all_who_wait(till, desk, leases):
    await till.budget(1_000_000)
    await asyncio.gather(*(till.reserve(desk, 2) for _ in range(50)))
    assert leases.calls == 1
