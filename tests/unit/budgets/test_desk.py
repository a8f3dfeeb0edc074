import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from omni_core.domain.budgets.api import BudgetExhausted, Window
from omni_core.domain.budgets.desk import BUDGETS_FRESH_S
from omni_core.domain.budgets.held import IDLE_S
from omni_core.domain.budgets.lease import LEASE_S, RENEW_AFTER_S, RETRY_S
from omni_core.testing.builders.budgets import CENT
from omni_core.testing.builders.tenancy import a_principal

A_WHILE_S = 0.05


async def test_without_a_budget_nothing_is_reserved(till):
    reservation = await till.reserve(till.desk(), 1_000_000)
    assert reservation.charges(CENT) == ()


async def test_reservations_end_with_the_limit(till):
    budget, desk = await till.budget(100), till.desk()
    await till.reserve(desk, 40)
    await till.reserve(desk, 40)
    with pytest.raises(BudgetExhausted):
        await till.reserve(desk, 21)
    await till.reserve(desk, 20)
    assert await till.spending(budget) == (0, 100)


async def test_a_call_that_costs_less_leaves_the_rest_to_others(till):
    budget, desk = await till.budget(100), till.desk()
    await till.spend(await till.reserve(desk, 100), 30)
    assert await till.spending(budget) == (30, 70)
    await till.reserve(desk, 70)
    with pytest.raises(BudgetExhausted):
        await till.reserve(desk, 1)


async def test_a_call_that_produced_nothing_leaves_everything(till):
    budget, desk = await till.budget(100), till.desk()
    (await till.reserve(desk, 100)).settle(0)
    await till.spend(await till.reserve(desk, 100), 100)
    assert await till.spending(budget) == (100, 0)


async def test_a_call_that_costs_more_than_it_reserved_is_made_up_for(till):
    budget, desk = await till.budget(100), till.desk()
    overdrawn, other = await till.reserve(desk, 10), await till.reserve(desk, 10)
    await till.spend(overdrawn, 15)
    with pytest.raises(BudgetExhausted):
        await till.reserve(desk, 76)
    await till.reserve(desk, 75)
    await till.spend(other, 10)
    assert await till.spending(budget) == (25, 75)


async def test_a_reservation_is_settled_once(till):
    budget, desk = await till.budget(100), till.desk()
    reservation = await till.reserve(desk, 60)
    await till.spend(reservation, 60)
    reservation.settle(0)
    with pytest.raises(BudgetExhausted):
        await till.reserve(desk, 41)
    assert await till.spending(budget) == (60, 0)


async def test_what_costs_nothing_needs_nothing(till):
    budget, desk = await till.budget(0), till.desk()
    reservation = await till.reserve(desk, 0)
    assert reservation.charges(0) == ()
    assert await till.spending(budget) == (0, 0)


@pytest.mark.parametrize("desks", [1, 4])
async def test_of_two_hundred_calls_as_many_pass_as_are_covered(till, desks):
    budget, at = await till.budget(100), [till.desk() for _ in range(desks)]
    calls = (till.reserve(at[number % desks], 2) for number in range(200))
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    passed = [outcome for outcome in outcomes if not isinstance(outcome, BaseException)]
    assert [type(outcome) for outcome in outcomes if isinstance(outcome, BaseException)] == [BudgetExhausted] * 150
    assert len(passed) == 50
    for reservation in passed:
        await till.spend(reservation, 2)
    assert await till.spending(budget) == (100, 0)


async def test_who_is_refused_is_told_when_to_come_back(till, memory):
    budget, desk = await till.budget(50, window=Window.DAY), till.desk(wait_s=60)
    await till.spend(await till.reserve(desk, 30), 30)
    with pytest.raises(BudgetExhausted) as refused:
        await till.reserve(desk, 21)
    assert refused.value.fields == {
        "budget_id": str(budget.id),
        "window": "day",
        "limit": "0.50 USD",
        "spent": "0.30",
        "resets_at": "2026-11-22T00:00:00+00:00",
        "retry_after_s": 12 * 3600,
    }


async def test_waits_for_calls_under_way_to_settle(till):
    await till.budget(100)
    desk = till.desk(wait_s=60)
    first = await till.reserve(desk, 100)
    waiting = asyncio.create_task(till.reserve(desk, 40))
    await asyncio.sleep(A_WHILE_S)
    assert not waiting.done()
    await till.spend(first, 60)
    reservation = await waiting
    assert len(reservation.charges(40 * CENT)) == 1


async def test_waits_for_the_calls_of_other_processes(till, memory):
    await till.budget(100)
    theirs, ours = till.desk(), till.desk(wait_s=60)
    first = await till.reserve(theirs, 100)
    waiting = asyncio.create_task(till.reserve(ours, 40))
    await asyncio.sleep(A_WHILE_S)
    first.settle(0)
    await theirs.close()
    memory.clock.advance(RETRY_S)
    async with asyncio.timeout(10):
        await waiting


async def test_waits_no_longer_than_it_may(till, memory):
    await till.budget(100)
    desk = till.desk(wait_s=2)
    first = await till.reserve(desk, 100)
    waiting = asyncio.create_task(till.reserve(desk, 40))
    await asyncio.sleep(A_WHILE_S)
    memory.clock.advance(2)
    with pytest.raises(BudgetExhausted) as refused:
        await waiting
    # The money may come back at any moment, not only when the period ends.
    assert refused.value.fields["retry_after_s"] == 1
    await till.spend(first, 100)


async def test_a_refusal_of_much_does_not_refuse_a_little(till):
    await till.budget(100)
    desk = till.desk()
    await till.reserve(desk, 50)
    with pytest.raises(BudgetExhausted):
        await till.reserve(desk, 51)
    await till.reserve(desk, 50)


async def test_every_budget_of_the_caller_is_drawn_from(till):
    whole = await till.budget(100)
    keys = await till.budget(30, key_id=till.principal.key_id, window=Window.DAY)
    others = await till.budget(1, key_id=a_principal(till.tenant_id).key_id)
    desk = till.desk()
    await till.spend(await till.reserve(desk, 20), 20)
    assert [await till.spending(budget) for budget in (whole, keys, others)] == [(20, 0), (20, 0), (0, 0)]
    assert list(await desk.limits(till.principal)) == [whole, keys]
    assert list(await desk.limits(a_principal(till.tenant_id))) == [whole]


async def test_a_refusal_by_one_budget_frees_the_others(till):
    whole, _ = await till.budget(100), await till.budget(30, key_id=till.principal.key_id)
    desk = till.desk()
    with pytest.raises(BudgetExhausted):
        await till.reserve(desk, 31)
    await till.reserve(desk, 100, a_principal(till.tenant_id))
    assert await till.spending(whole) == (0, 100)


async def test_what_idles_is_given_back(till, memory):
    budget, desk = await till.budget(10_000), till.desk()
    await till.spend(await till.reserve(desk, 10), 10)
    assert (await till.spending(budget))[1] > 0
    memory.clock.advance(IDLE_S)
    await desk.maintain()
    assert await till.spending(budget) == (10, 0)
    await till.reserve(till.desk(), 9_990)


async def test_what_a_call_under_way_holds_is_not_given_back(till, memory):
    budget, desk = await till.budget(10_000), till.desk()
    reservation = await till.reserve(desk, 10)
    memory.clock.advance(IDLE_S)
    await desk.maintain()
    assert await till.spending(budget) == (0, 10)
    await desk.close()
    assert await till.spending(budget) == (0, 10)
    await till.spend(reservation, 10)
    assert await till.spending(budget) == (10, 0)


async def test_the_lease_of_a_long_call_is_renewed(till, memory):
    budget, desk = await till.budget(100), till.desk()
    reservation = await till.reserve(desk, 100)
    for _ in range(10):
        memory.clock.advance(RENEW_AFTER_S)
        await desk.maintain()
        with pytest.raises(BudgetExhausted):
            await till.reserve(till.desk(), 1)
    await till.spend(reservation, 40)
    assert await till.spending(budget) == (40, 60)


async def test_what_a_process_that_died_held_comes_back(till, memory):
    budget, dead = await till.budget(100), till.desk()
    await till.reserve(dead, 100)
    memory.clock.advance(LEASE_S - 1)
    with pytest.raises(BudgetExhausted):
        await till.reserve(till.desk(), 1)
    memory.clock.advance(1)
    await till.spend(await till.reserve(till.desk(), 100), 100)
    assert await till.spending(budget) == (100, 0)


async def test_a_lease_that_may_have_lapsed_is_not_drawn_from(till, memory):
    budget, desk = await till.budget(100), till.desk()
    (await till.reserve(desk, 100)).settle(0)
    memory.clock.advance(LEASE_S)
    await till.spend(await till.reserve(till.desk(), 80), 80)
    with pytest.raises(BudgetExhausted):
        await till.reserve(desk, 21)
    await till.spend(await till.reserve(desk, 20), 20)
    assert await till.spending(budget) == (100, 0)


async def test_a_period_ends_at_midnight(till, memory):
    budget, desk = await till.budget(100, window=Window.DAY), till.desk()
    memory.clock.advance_to(datetime(2026, 11, 21, 23, 59, 59, tzinfo=UTC))
    late = await till.reserve(desk, 100)
    memory.clock.advance(timedelta(seconds=1))
    await till.spend(await till.reserve(desk, 100), 100)
    assert await till.spending(budget) == (100, 0)
    await till.spend(late, 90)
    assert await till.spending(budget) == (100, 0)


async def test_a_budget_is_in_force_soon_after_it_was_made(till, memory):
    desk = till.desk()
    await till.reserve(desk, 100)
    await till.budget(50)
    memory.clock.advance(BUDGETS_FRESH_S)
    with pytest.raises(BudgetExhausted):
        await till.reserve(desk, 100)


async def test_another_limit_is_in_force_for_the_running_period(till, memory):
    budget, desk = await till.budget(100), till.desk()
    await till.spend(await till.reserve(desk, 60), 60)
    await till.change_limit(budget, 50)
    with pytest.raises(BudgetExhausted):
        await till.reserve(desk, 1)
    await till.change_limit(budget, 200)
    memory.clock.advance(RETRY_S)
    await till.reserve(desk, 140)


async def test_a_budget_that_was_removed_stops_nobody(till, memory):
    budget, desk = await till.budget(1), till.desk()
    await till.reserve(desk, 1)
    await till.remove(budget)
    reservation = await till.reserve(desk, 100)
    assert reservation.charges(CENT) == ()
    memory.clock.advance(IDLE_S)
    await desk.maintain()
