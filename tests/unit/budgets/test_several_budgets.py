"""Calls that several budgets hold for pass on all of them, or leave all of them to others."""

import asyncio
from collections.abc import Sequence
from itertools import permutations
from typing import Any

import pytest

from omni_core.domain.budgets.api import Budget, BudgetDesk, BudgetExhausted
from omni_core.domain.budgets.lease import RETRY_S
from omni_core.domain.kernel.tenancy import Principal
from omni_core.testing.builders.budgets import a_budget
from omni_core.testing.builders.tenancy import a_principal
from tests.support.tills import Till

CALLS, AT_ONCE, CENTS = 500, 120, 2
MAINTAIN_EVERY = 50


class Distant:
    """Leases whose database takes a moment to hear of a wish, and another to answer."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.give_back = inner.give_back
        self.renew = inner.renew
        self.now = inner.now

    async def acquire(self, *wish: Any, **terms: Any) -> Any:
        await asyncio.sleep(0)
        granted = await self._inner.acquire(*wish, **terms)
        await asyncio.sleep(0)
        return granted


async def budgets_of(till: Till, limits: Sequence[int]) -> list[Budget]:
    """Make budgets that all hold for the caller, drawn from in this order, more than windows allow if need be."""
    made = [a_budget(till.tenant_id, limit=limit) for limit in limits]
    async with till.backend.uow(till.tenant_id) as tx:
        for budget in made:
            await till.budget_store.save(tx, budget)
    return made


async def passed_of(till: Till, desks: Sequence[BudgetDesk], callers: Sequence[Principal]) -> list[int]:
    """Make 500 calls, 120 at once, each of which costs what it reserved; return how many of each caller passed."""
    slots, passed = asyncio.Semaphore(AT_ONCE), [0] * len(callers)

    async def call(number: int) -> None:
        async with slots:
            caller = number % len(callers)
            try:
                reservation = await till.reserve(desks[number % len(desks)], CENTS, callers[caller])
            except BudgetExhausted:
                return
            passed[caller] += 1
            for _ in range(number % 7):
                await asyncio.sleep(0)
            await till.spend(reservation, CENTS)

    await asyncio.gather(*(call(number) for number in range(CALLS)))
    return passed


async def check(till: Till, budgets: Sequence[Budget], desks: Sequence[BudgetDesk]) -> None:
    affordable = min(budget.limit.minor for budget in budgets) // CENTS
    assert await passed_of(till, desks, [till.principal]) == [affordable]
    for desk in desks:
        await desk.close()
    assert [await till.spending(budget) for budget in budgets] == [(affordable * CENTS, 0)] * len(budgets)


@pytest.mark.parametrize("count", range(1, 7))
async def test_as_many_calls_pass_as_equal_budgets_cover(till, count):
    await check(till, await budgets_of(till, [500] * count), [till.desk(leases=Distant(till.leases))])


@pytest.mark.parametrize("count, tightest", [(count, place) for count in range(1, 7) for place in range(count)])
async def test_as_many_calls_pass_as_the_tightest_covers_wherever_it_stands(till, count, tightest):
    limits = [500 if place == tightest else 520 + 40 * place for place in range(count)]
    await check(till, await budgets_of(till, limits), [till.desk(leases=Distant(till.leases))])


@pytest.mark.parametrize("limits", list(permutations([300, 500, 700])))
async def test_processes_that_wait_leave_one_another_what_they_cannot_use(till, limits):
    desks = [till.desk(leases=Distant(till.leases), wait_s=60) for _ in range(3)]

    async def pass_time() -> None:
        while True:
            for _ in range(MAINTAIN_EVERY):
                await asyncio.sleep(0)
            till.backend.clock.advance(RETRY_S)
            for desk in desks:
                await desk.maintain()

    passing = asyncio.create_task(pass_time())
    try:
        await check(till, await budgets_of(till, limits), desks)
    finally:
        passing.cancel()


@pytest.mark.parametrize("is_whole_first", [True, False])
async def test_callers_whose_own_budget_refuses_them_take_nothing_from_others(till, is_whole_first):
    mine, theirs = till.principal, a_principal(till.tenant_id)
    if is_whole_first:
        whole, own = await till.budget(300), await till.budget(40, key_id=mine.key_id)
    else:
        own, whole = await till.budget(40, key_id=mine.key_id), await till.budget(300)
    desk = till.desk(leases=Distant(till.leases))
    passed = await passed_of(till, [desk], [mine, theirs])
    await desk.close()
    assert sum(passed) * CENTS == 300
    assert passed[0] <= 20
    assert await till.spending(whole) == (300, 0)
    assert await till.spending(own) == (passed[0] * CENTS, 0)


@pytest.mark.parametrize("is_whole_first", [True, False])
async def test_a_call_that_waits_holds_nothing(till, is_whole_first):
    mine, theirs = till.principal, a_principal(till.tenant_id)
    for is_whole in (is_whole_first, not is_whole_first):
        await (till.budget(100) if is_whole else till.budget(50, key_id=mine.key_id))
    desk = till.desk(wait_s=60)
    first = await till.reserve(desk, 50)
    waiting = asyncio.create_task(till.reserve(desk, 50))
    await asyncio.sleep(0.05)
    async with asyncio.timeout(5):
        other = await till.reserve(desk, 50, theirs)
    assert not waiting.done()
    first.settle(0)
    async with asyncio.timeout(5):
        await till.spend(await waiting, 50)
    await till.spend(other, 50)


async def test_a_refusal_names_the_budget_that_is_spent_rather_than_one_that_is_held(till):
    held, spent = await budgets_of(till, [100, 50])
    desk = till.desk(wait_s=60)
    await till.spend(await till.reserve(desk, 30), 30)
    under_way = await till.reserve(desk, 20)
    with pytest.raises(BudgetExhausted) as refused:
        await till.reserve(desk, 60)
    assert refused.value.fields["budget_id"] == str(spent.id)
    assert refused.value.fields["retry_after_s"] > 1
    await till.spend(under_way, 20)
    assert await till.spending(held) == (50, 0)


@pytest.mark.parametrize("limits", [[500, 520, 540, 560, 580], [580, 540, 500, 560, 520], [580, 560, 540, 520, 500]])
async def test_processes_that_do_not_wait_refuse_no_call_that_is_covered(till, limits):
    await check(till, await budgets_of(till, limits), [till.desk(leases=Distant(till.leases)) for _ in range(4)])


async def test_what_a_process_has_too_much_of_reaches_one_that_waits_while_both_are_busy(till):
    await budgets_of(till, [100, 120])
    ours, theirs = till.desk(), till.desk(wait_s=60)
    await till.spend(await till.reserve(ours, 70), 10)
    waiting = asyncio.create_task(till.reserve(theirs, 80))
    await asyncio.sleep(0.05)
    assert not waiting.done()
    still_busy = await till.reserve(ours, 5)
    await ours.maintain()
    till.backend.clock.advance(RETRY_S)
    async with asyncio.timeout(5):
        await waiting
    await till.spend(still_busy, 5)


async def test_calls_of_all_keys_are_asked_for_together(till):
    keys = [a_principal(till.tenant_id) for _ in range(20)]
    await till.budget(1_000)
    for key in keys:
        await till.budget(10, key_id=key.key_id)
    leases = Counting(till.leases)
    desk = till.desk(leases=leases)
    await asyncio.gather(*(till.reserve(desk, 5, key) for key in keys))
    assert leases.asked == [20]


class Counting(Distant):
    """Leases that remember how many calls were asked for each time."""

    def __init__(self, inner: Any) -> None:
        super().__init__(inner)
        self.asked: list[int] = []

    async def acquire(self, wishes: Any, needs: Any, lasting_s: float) -> Any:
        self.asked.append(len(needs))
        return await super().acquire(wishes, needs, lasting_s)
