"""How far this machine's clock is off the database's is measured with what is asked anyway, and told once."""

from datetime import datetime, timedelta

import pytest
from structlog.testing import capture_logs

from omni_core.adapters.memory.budgets import MemoryBudgetStore, MemoryLeases
from omni_core.adapters.telemetry.clocks import QUICK_S, ClockWatch
from omni_core.domain.budgets.desk import TIME_FRESH_S, BudgetDesk
from omni_core.domain.budgets.ports import Need, Wish
from omni_core.testing import FixedClock
from omni_core.testing.builders.budgets import a_budget, a_lease_id, pot_of, stored
from omni_core.testing.builders.kernel import a_tenant_id


class Machine:
    """A clock `ahead` of another by seconds, on which `takes` seconds pass between two looks."""

    def __init__(self, right: FixedClock) -> None:
        self._right = right
        self.ahead = 0.0
        self.takes = 0.0
        self.monotonic = right.monotonic

    def now(self) -> datetime:
        found = self._right.now() + timedelta(seconds=self.ahead)
        self._right.advance(self.takes)
        return found


@pytest.fixture
def machine(memory):
    return Machine(memory.clock)


@pytest.fixture
def watch(memory, machine):
    return ClockWatch(memory.make(MemoryLeases), machine)


@pytest.mark.parametrize("ahead", [0, 3600, -3600])
async def test_every_answer_tells_the_difference(memory, machine, watch, ahead):
    pot = pot_of(await stored(memory.uow, memory.make(MemoryBudgetStore), a_budget(a_tenant_id())))
    lease_id = a_lease_id()
    asks = [
        watch.now,
        lambda: watch.acquire([Wish(pot, lease_id)], [Need(1, (0,))], 10),
        lambda: watch.renew([(pot, lease_id)], 10),
    ]
    assert watch.skew_s is None
    for ask in asks:
        machine.ahead = ahead
        await ask()
        assert watch.skew_s == ahead
    await watch.give_back([(pot, lease_id, 1)])


async def test_the_time_that_an_answer_took_is_no_difference(memory, machine, watch):
    machine.takes = QUICK_S
    await watch.now()
    assert abs(watch.skew_s) <= QUICK_S / 2
    known, machine.takes, machine.ahead = watch.skew_s, QUICK_S * 2, 100
    await watch.now()
    assert watch.skew_s == known


async def test_a_difference_is_told_once_and_so_is_its_end(machine, watch):
    with capture_logs() as logs:
        for ahead in (1.9, 2.1, 5, 1.5, -3, 0.9, 0, -2):
            machine.ahead = ahead
            await watch.now()
    assert [(log["log_level"], log["ahead_s"]) for log in logs] == [("warning", 2.1), ("info", 0.9), ("warning", -2)]


async def test_a_desk_that_nobody_uses_measures_it_now_and_then(memory, machine, watch):
    desk = BudgetDesk(memory.uow, memory.make(MemoryBudgetStore), watch, machine, memory.ids)
    await desk.maintain()
    assert watch.skew_s == 0
    machine.ahead = 60
    memory.clock.advance(TIME_FRESH_S - 1)
    await desk.maintain()
    assert watch.skew_s == 0
    memory.clock.advance(1)
    await desk.maintain()
    assert watch.skew_s == 60
