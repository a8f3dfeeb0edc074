"""Machines whose clocks are wrong: budgets go by the database's."""

from datetime import UTC, datetime, timedelta

import pytest

from omni_core.domain.budgets.api import BudgetExhausted, Window
from omni_core.domain.budgets.lease import LEASE_S, RENEW_AFTER_S, RETRY_S, USABLE_S
from omni_core.domain.budgets.time import LeaseTime
from omni_core.testing import FixedClock

HOUR = timedelta(hours=1)
wrong_clocks = pytest.mark.parametrize("ahead", [HOUR, -HOUR], ids=["ahead", "behind"])


class Wrong:
    """A machine's clock that is off, and runs as fast as the right one."""

    def __init__(self, right: FixedClock, ahead: timedelta) -> None:
        self._right = right
        self._ahead = ahead
        self.monotonic = right.monotonic

    def now(self) -> datetime:
        return self._right.now() + self._ahead


@wrong_clocks
async def test_neither_more_is_spent_nor_less_let_through(till, memory, ahead):
    budget = await till.budget(100)
    right, wrong = till.desk(), till.desk(clock=Wrong(memory.clock, ahead))
    for desk in (right, wrong) * 5:
        await till.spend(await till.reserve(desk, 10), 10)
    for desk in (right, wrong):
        with pytest.raises(BudgetExhausted):
            await till.reserve(desk, 1)
    assert await till.spending(budget) == (100, 0)


@wrong_clocks
async def test_one_that_is_off_takes_nothing_back_that_another_still_holds(till, memory, ahead):
    await till.budget(100)
    right, wrong = till.desk(), till.desk(clock=Wrong(memory.clock, ahead))
    held = await till.reserve(right, 100)
    with pytest.raises(BudgetExhausted):
        await till.reserve(wrong, 1)
    held.settle(0)
    await right.close()
    memory.clock.advance(RETRY_S)
    await till.reserve(wrong, 100)
    with pytest.raises(BudgetExhausted):
        await till.reserve(right, 1)


@wrong_clocks
async def test_what_it_held_when_it_was_killed_comes_back_as_soon(till, memory, ahead):
    budget, killed = await till.budget(100), till.desk(clock=Wrong(memory.clock, ahead))
    await till.reserve(killed, 100)
    memory.clock.advance(RENEW_AFTER_S)
    await killed.maintain()
    memory.clock.advance(LEASE_S - 1)
    with pytest.raises(BudgetExhausted):
        await till.reserve(till.desk(), 1)
    memory.clock.advance(1)
    assert LEASE_S <= 15
    assert await till.spending(budget) == (0, 0)
    await till.reserve(till.desk(), 100)


@wrong_clocks
@pytest.mark.parametrize("window", Window)
async def test_days_and_months_are_the_databases(till, memory, window, ahead):
    budget, wrong = await till.budget(100, window=window), till.desk(clock=Wrong(memory.clock, ahead))
    memory.clock.advance_to(datetime(2026, 11, 30, 23, 30, tzinfo=UTC))
    await till.spend(await till.reserve(wrong, 100), 100)
    with pytest.raises(BudgetExhausted) as refused:
        await till.reserve(wrong, 1)
    assert refused.value.fields["resets_at"] == "2026-12-01T00:00:00+00:00"
    assert refused.value.fields["retry_after_s"] == 1800
    memory.clock.advance(HOUR)
    assert await till.spending(budget) == (0, 0)
    await till.spend(await till.reserve(wrong, 100), 100)
    with pytest.raises(BudgetExhausted):
        await till.reserve(wrong, 1)


async def test_one_that_is_set_while_it_runs_changes_nothing(till, memory):
    class Set(Wrong):
        def set(self, ahead: timedelta) -> None:
            self._ahead = ahead

    clock = Set(memory.clock, timedelta())
    budget, desk = await till.budget(100, window=Window.DAY), till.desk(clock=clock)
    await till.spend(await till.reserve(desk, 60), 60)
    clock.set(timedelta(days=1))
    with pytest.raises(BudgetExhausted):
        await till.reserve(desk, 41)
    await till.spend(await till.reserve(desk, 40), 40)
    assert await till.spending(budget) == (100, 0)


async def test_a_database_whose_clock_was_set_is_believed_at_once(till, memory):
    await till.budget(100, window=Window.DAY)
    desk = till.desk(clock=Machine(memory.clock))
    await till.spend(await till.reserve(desk, 100), 100)
    # As when its administrator corrects a clock that was a day behind: no time has passed for anybody.
    memory.clock.set_back(-timedelta(days=1))
    await till.spend(await till.reserve(desk, 100), 100)
    with pytest.raises(BudgetExhausted):
        await till.reserve(desk, 1)


class Machine:
    """The clock of a machine that is right, and that nobody sets."""

    def __init__(self, other: FixedClock) -> None:
        self._began = other.now()
        self.monotonic = other.monotonic

    def now(self) -> datetime:
        return self._began + timedelta(seconds=self.monotonic())


async def test_a_lease_is_used_for_less_long_than_it_lasts(till, memory):
    await till.budget(100)
    desk = till.desk()
    (await till.reserve(desk, 100)).settle(0)
    memory.clock.advance(USABLE_S)
    # What it gave up for lost is not there for others yet, nor for itself.
    assert USABLE_S < LEASE_S
    with pytest.raises(BudgetExhausted):
        await till.reserve(desk, 1)


def test_of_two_answers_the_quicker_tells_the_time():
    clock = FixedClock()
    time = LeaseTime(clock)
    assert not time.is_known
    with pytest.raises(RuntimeError):
        time.now()
    for took, moment in ((0.002, 0), (3.0, 60), (0.004, 120)):
        asked_at = clock.monotonic()
        clock.advance(took)
        time.hear(datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=moment), asked_at)
    # The second took too long to be believed; the third hardly longer than the first, which has grown old since.
    assert time.now() == datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=120.002)
    time.hear(datetime(2027, 1, 1, tzinfo=UTC), clock.monotonic() - 5, overrule=True)
    assert time.now() == datetime(2027, 1, 1, tzinfo=UTC) + timedelta(seconds=2.5)
