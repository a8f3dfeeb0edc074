"""Whatever calls of two processes reserve, settle, abandon or take to the grave, in whatever order and at once:

a limit is never exceeded, and in the end nothing is set aside that nobody holds.
"""

import asyncio
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from omni_core.domain.budgets.api import Budget, BudgetDesk, BudgetExhausted, Reservation
from omni_core.domain.budgets.lease import LEASE_S
from omni_core.testing.builders.budgets import CENT
from tests.support.tills import Till

LIMIT = 100
DESKS = 2
MAINTAIN_EVERY_S = 5.0
# Each example works for a tenant of its own, so that a backend can serve them all.
SHARED_BACKEND = HealthCheck.function_scoped_fixture


@dataclass(frozen=True)
class Reserve:
    """A call begins at a desk, and may be refused."""

    desk: int
    cents: int


@dataclass(frozen=True)
class Settle:
    """One of the open calls ends, having cost some percentage of what it reserved."""

    call: int
    percent: int


@dataclass(frozen=True)
class Crash:
    """A process dies with its calls, and another takes its place."""

    desk: int


@dataclass(frozen=True)
class Pass:
    """Time passes, and the processes that live look after their leases."""

    seconds: float


Step = Reserve | Settle | Crash | Pass
desks = st.integers(0, DESKS - 1)
reserves = st.builds(Reserve, desks, st.one_of(st.integers(1, 30), st.integers(1, LIMIT + 1)))
settles = st.builds(Settle, st.integers(0, 50), st.one_of(st.sampled_from([0, 100]), st.integers(0, 100)))
# What is in one list happens at once.
bursts = st.lists(st.one_of(reserves, reserves, settles), min_size=1, max_size=6)
alone = st.one_of(
    st.builds(Crash, desks), st.builds(Pass, st.floats(0.01, 3)), st.builds(Pass, st.floats(LEASE_S, 2 * LEASE_S))
)
plans = st.lists(st.one_of(bursts, bursts, bursts, alone.map(lambda step: [step])), max_size=12)


@dataclass
class Office:
    """Two processes and what the test knows of their calls."""

    till: Till
    budget: Budget
    desks: list[BudgetDesk]
    open: list[tuple[int, int, Reservation]] = field(default_factory=list)
    spent: int = 0

    @classmethod
    async def opened(cls, till: Till) -> "Office":
        return cls(till, await till.budget(LIMIT), [till.desk() for _ in range(DESKS)])

    async def take(self, step: Step) -> None:
        match step:
            case Reserve(desk, cents):
                await self._reserve(desk, cents)
            case Settle(call, percent):
                await self._settle(call, percent)
            case Crash(desk):
                self.desks[desk] = self.till.desk()
                self.open = [call for call in self.open if call[0] != desk]
            case Pass(seconds):
                await self.pass_time(seconds)

    async def _reserve(self, desk: int, cents: int) -> None:
        try:
            reservation = await self.till.reserve(self.desks[desk], cents)
        except BudgetExhausted:
            return
        self.open.append((desk, cents, reservation))

    async def _settle(self, call: int, percent: int) -> None:
        if self.open:
            _, cents, reservation = self.open.pop(call % len(self.open))
            cost = cents * percent // 100
            self.spent += cost
            if cost:
                await self.till.spend(reservation, cost)
            else:
                reservation.settle(0)

    async def pass_time(self, seconds: float) -> None:
        while seconds > 0:
            await self.till.pass_time(min(seconds, MAINTAIN_EVERY_S))
            seconds -= MAINTAIN_EVERY_S
            for desk in self.desks:
                await desk.maintain()

    async def check(self) -> None:
        spent, reserved = await self.till.spending(self.budget)
        assert spent == self.spent
        assert spent + reserved <= LIMIT
        assert sum(cents for _, cents, _ in self.open) <= reserved

    async def close(self) -> None:
        while self.open:
            await self._settle(0, 50)
        for desk in self.desks:
            await desk.close()
        await self.till.pass_time(LEASE_S)


@settings(max_examples=100, suppress_health_check=[SHARED_BACKEND, HealthCheck.too_slow])
@given(plan=plans)
async def test_a_limit_holds_and_nothing_leaks(backend, plan):
    office = await Office.opened(Till(backend))
    for burst in plan:
        await asyncio.gather(*(office.take(step) for step in burst))
        await office.check()
    await office.close()
    assert await office.till.spending(office.budget) == (office.spent, 0)
    left = LIMIT - office.spent
    last = office.till.desk()
    await office.till.reserve(last, left)
    with pytest.raises(BudgetExhausted):
        await last.reserve(office.till.principal, CENT // 2)
