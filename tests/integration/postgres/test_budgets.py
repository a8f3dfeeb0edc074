"""Budgets on PostgreSQL while many processes draw on them at once."""

import asyncio
import itertools
from collections.abc import Sequence
from functools import partial

import pytest

from omni_core.adapters.system import SystemClock
from omni_core.domain.budgets.api import Budget, BudgetDesk, BudgetExhausted, Window
from omni_core.domain.budgets.desk import BUDGETS_FRESH_S
from omni_core.testing.builders.budgets import CENT, a_lease_id, acquire_all, pot_of
from tests.support.backends import Backend
from tests.support.tills import Till
from tests.support.waiting import eventually

DESKS, CALLS, AT_ONCE, CENTS = 4, 500, 120, 2
ROUNDS, COMINGS = 25, 10


async def all_that_hold(till: Till, limits: Sequence[int]) -> list[Budget]:
    """Make as many budgets as can hold for one call: the tenant's and its key's, by month and by day."""
    kinds = itertools.product((None, till.principal.key_id), Window)
    return [
        await till.budget(limit, key_id=key_id, window=window)
        for limit, (key_id, window) in zip(limits, kinds, strict=False)
    ]


@pytest.mark.parametrize("wait_s", [0, 2])
@pytest.mark.parametrize("limits", [[500], [500, 520], [540, 500], [500, 520, 540, 560], [560, 540, 520, 500]])
async def test_four_processes_let_exactly_as_many_pass_as_all_budgets_cover(postgres, limits, wait_s):
    till, slots = Till(postgres), asyncio.Semaphore(AT_ONCE)
    budgets = await all_that_hold(till, limits)
    desks = [till.desk(wait_s=wait_s, clock=SystemClock()) for _ in range(DESKS)]

    async def call(number: int) -> bool:
        async with slots:
            try:
                reservation = await till.reserve(desks[number % DESKS], CENTS)
            except BudgetExhausted:
                return False
            await till.spend(reservation, CENTS)
            return True

    passed = await asyncio.gather(*(call(number) for number in range(CALLS)))
    for desk in desks:
        await desk.close()
    assert sum(passed) == 250
    assert [await till.spending(budget) for budget in budgets] == [(500, 0)] * len(budgets)


async def test_a_budget_that_is_removed_under_load_stops_no_call(postgres: Backend):
    till = Till(postgres)
    stays = await till.budget(1_000_000, window=Window.DAY)
    desks = [till.desk() for _ in range(DESKS)]
    done, costs = asyncio.Event(), [0]

    async def calls(desk: BudgetDesk) -> None:
        while not done.is_set():
            reservation = await till.reserve(desk, CENTS)
            await till.spend(reservation, CENTS)
            costs.append(CENTS)

    async def come_and_go() -> None:
        for _ in range(COMINGS):
            goes = await till.budget(1_000_000)
            # The processes read the budgets anew, and make the first period of this one.
            postgres.clock.advance(BUDGETS_FRESH_S)
            await eventually(partial(is_drawn_from, till, goes), every_s=0)
            await till.remove(goes)
        done.set()

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(come_and_go())
        for number in range(6 * DESKS):
            tasks.create_task(calls(desks[number % DESKS]))
    for desk in desks:
        await desk.close()
    assert await till.spending(stays) == (sum(costs), 0)


async def is_drawn_from(till: Till, budget: Budget) -> bool:
    return await till.spending(budget) != (0, 0)


async def test_a_budget_that_goes_while_its_first_period_is_made_is_gone(postgres: Backend):
    till = Till(postgres)
    for _ in range(ROUNDS):
        goes = await till.budget()
        pot = pot_of(goes, await till.leases.now())
        async with asyncio.TaskGroup() as tasks:
            asked = [tasks.create_task(acquire_all(till.leases, [pot], [CENT])) for _ in range(4)]
            tasks.create_task(till.remove(goes))
        for answer in asked:
            assert [grant and grant.granted_picos for grant in answer.result().each] in ([None], [CENT])
        assert (await acquire_all(till.leases, [pot], [CENT], lease_ids=[a_lease_id()])).each == [None]
