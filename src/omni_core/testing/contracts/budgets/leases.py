"""What every Leases does."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from omni_core.domain.budgets.errors import UnknownBudget
from omni_core.domain.budgets.model import Pot, Spending, Window
from omni_core.domain.budgets.ports import BudgetStore, Grant, Leases, Need, Wish
from omni_core.domain.kernel.money import Money
from omni_core.domain.kernel.tenancy import TenantId
from omni_core.domain.kernel.uow import UnitOfWork
from omni_core.testing.builders.budgets import (
    CENT,
    LASTING_S,
    a_budget,
    a_lease_id,
    acquire,
    acquire_all,
    pot_of,
    spending_of,
    stored,
)
from omni_core.testing.builders.kernel import a_tenant_id

LetPass = Callable[[TenantId, float], Awaitable[None]]
"""Lets seconds pass by the clock that a tenant's leases go by."""


class LeasesContract:
    """Fixtures: `leases`, `let_pass`, and of the same technology `budget_store` and `uow`.

    A pot has $1.00 unless it says so.
    """

    @pytest.fixture
    async def pot(self, uow: UnitOfWork, budget_store: BudgetStore, leases: Leases) -> Pot:
        return await self.a_pot(uow, budget_store, leases, a_tenant_id())

    async def a_pot(
        self,
        uow: UnitOfWork,
        budget_store: BudgetStore,
        leases: Leases,
        tenant_id: TenantId,
        *,
        limit: int | Money = 100,
        window: Window = Window.MONTH,
    ) -> Pot:
        budget = await stored(uow, budget_store, a_budget(tenant_id, limit=limit, window=window))
        return pot_of(budget, await leases.now())

    async def test_what_is_needed_is_granted_while_it_is_there(
        self, uow: UnitOfWork, budget_store: BudgetStore, leases: Leases, pot: Pot
    ) -> None:
        mine, theirs = a_lease_id(), a_lease_id()
        assert await acquire(leases, pot, mine, 60 * CENT) == Grant(60 * CENT, 0, 100 * CENT, 40 * CENT, is_scarce=True)
        assert await acquire(leases, pot, theirs, 41 * CENT) == Grant(0, 0, 100 * CENT, 40 * CENT, is_scarce=True)
        assert await acquire(leases, pot, theirs, 30 * CENT) == Grant(
            30 * CENT, 0, 100 * CENT, 10 * CENT, is_scarce=True
        )
        assert await acquire(leases, pot, mine, 10 * CENT) == Grant(10 * CENT, 0, 100 * CENT, 0, is_scarce=True)
        assert await spending_of(uow, budget_store, pot) == Spending(0, 100 * CENT)

    async def test_calls_are_served_in_order_each_that_still_fits(self, leases: Leases, pot: Pot) -> None:
        grant = await acquire(leases, pot, a_lease_id(), 60 * CENT, 50 * CENT, 30 * CENT, 11 * CENT, 10 * CENT)
        assert (grant.granted_picos, grant.left_picos) == (100 * CENT, 0)

    async def test_a_surplus_is_granted_only_far_from_the_end(self, leases: Leases, pot: Pot) -> None:
        assert (await acquire(leases, pot, a_lease_id(), 1000)).granted_picos == 64 * 1000
        # In whole calls: 7 of a thousandth of a cent are less than a 128th of what is left, and 8 would be more.
        left, call = 100 * CENT - 64 * 1000, CENT // 10
        grant = await acquire(leases, pot, a_lease_id(), call)
        assert (grant.granted_picos, grant.is_scarce) == (left // 128 // call * call, False)
        grant = await acquire(leases, pot, a_lease_id(), CENT)
        assert (grant.granted_picos, grant.is_scarce) == (CENT, True)

    async def test_pots_of_a_call_grant_the_same_surplus(
        self, uow: UnitOfWork, budget_store: BudgetStore, leases: Leases, pot: Pot
    ) -> None:
        wide = await self.a_pot(uow, budget_store, leases, pot.tenant_id, limit=100_000, window=Window.DAY)
        grants = (await acquire_all(leases, [wide, pot], [CENT // 4])).each
        assert [grant and grant.granted_picos for grant in grants] == [3 * (CENT // 4)] * 2
        # Beside a pot near its end, one that is far from its own spares no surplus either: it could not be used.
        grants = (await acquire_all(leases, [wide, pot], [CENT])).each
        assert [grant and (grant.granted_picos, grant.is_scarce) for grant in grants] == [(CENT, False), (CENT, True)]

    async def test_parallel_wishes_never_pass_the_limit(
        self, uow: UnitOfWork, budget_store: BudgetStore, leases: Leases, pot: Pot
    ) -> None:
        grants = await asyncio.gather(*(acquire(leases, pot, a_lease_id(), 3 * CENT) for _ in range(50)))
        assert sorted(grant.granted_picos for grant in grants) == [0] * 17 + [3 * CENT] * 33
        assert await spending_of(uow, budget_store, pot) == Spending(0, 99 * CENT)

    async def test_several_pots_grant_together_or_not_at_all(
        self, uow: UnitOfWork, budget_store: BudgetStore, leases: Leases, pot: Pot
    ) -> None:
        small = await self.a_pot(uow, budget_store, leases, pot.tenant_id, limit=50, window=Window.DAY)
        for pots in ((pot, small), (small, pot)):
            refused = (await acquire_all(leases, pots, [51 * CENT])).each
            assert [grant and (grant.granted_picos, grant.left_picos) for grant in refused] == [
                (0, 50 * CENT if one is small else 100 * CENT) for one in pots
            ]
            assert (
                await spending_of(uow, budget_store, pot) == await spending_of(uow, budget_store, small) == Spending()
            )
        granted = (await acquire_all(leases, [pot, small], [20 * CENT] * 4)).each
        assert [grant and grant.granted_picos for grant in granted] == [40 * CENT, 40 * CENT]
        assert await spending_of(uow, budget_store, small) == Spending(0, 40 * CENT)

    async def test_calls_may_draw_on_some_of_the_pots(
        self, uow: UnitOfWork, budget_store: BudgetStore, leases: Leases, pot: Pot
    ) -> None:
        small = await self.a_pot(uow, budget_store, leases, pot.tenant_id, limit=50, window=Window.DAY)
        wishes = [Wish(pot, a_lease_id()), Wish(small, a_lease_id())]
        needs = [Need(40 * CENT, (0, 1)), Need(40 * CENT, (1, 0)), Need(40 * CENT, (0,)), Need(10 * CENT, (1,))]
        grants = (await leases.acquire(wishes, needs, LASTING_S)).each
        assert [grant and grant.granted_picos for grant in grants] == [80 * CENT, 50 * CENT]

    async def test_what_a_lease_has_already_is_not_granted_again(
        self, uow: UnitOfWork, budget_store: BudgetStore, leases: Leases, pot: Pot
    ) -> None:
        lease_id = a_lease_id()
        await acquire(leases, pot, lease_id, 70 * CENT)
        needs = [Need(CENT * cents, (0,)) for cents in (101, 50, 49, 40)]
        grants = await leases.acquire([Wish(pot, lease_id, 60 * CENT, is_held=True)], needs, LASTING_S)
        assert grants.each == [Grant(30 * CENT, 0, 100 * CENT, 0, is_scarce=True)]
        # And a call that cost more than it had reserved is made up for.
        await leases.give_back([(pot, lease_id, 40 * CENT)])
        overdrawn = Wish(pot, lease_id, -15 * CENT, is_held=True)
        grants = await leases.acquire([overdrawn], [Need(26 * CENT, (0,)), Need(25 * CENT, (0,))], LASTING_S)
        assert grants.each == [Grant(40 * CENT, 0, 100 * CENT, 0, is_scarce=True)]
        assert await spending_of(uow, budget_store, pot) == Spending(0, 100 * CENT)

    async def test_a_lease_that_has_enough_is_granted_nothing(self, leases: Leases, pot: Pot) -> None:
        lease_id = a_lease_id()
        await acquire(leases, pot, lease_id, 10 * CENT)
        grants = await leases.acquire([Wish(pot, lease_id, 10 * CENT, is_held=True)], [Need(1, (0,))], LASTING_S)
        assert [grant and grant.granted_picos for grant in grants.each] == [0]

    async def test_a_lapsed_lease_is_taken_back(self, leases: Leases, pot: Pot, let_pass: LetPass) -> None:
        lapsing = a_lease_id()
        await acquire(leases, pot, lapsing, 100 * CENT)
        await let_pass(pot.tenant_id, LASTING_S - 5)
        assert (await acquire(leases, pot, a_lease_id(), CENT)).granted_picos == 0
        await let_pass(pot.tenant_id, 5)
        assert (await acquire(leases, pot, a_lease_id(), 100 * CENT)).granted_picos == 100 * CENT
        assert list((await leases.renew([(pot, lapsing)], LASTING_S)).alive) == [False]

    async def test_nothing_is_added_to_a_lease_that_has_lapsed_unnoticed(
        self, uow: UnitOfWork, budget_store: BudgetStore, leases: Leases, pot: Pot, let_pass: LetPass
    ) -> None:
        lapsed = a_lease_id()
        await acquire(leases, pot, lapsed, 60 * CENT)
        await let_pass(pot.tenant_id, LASTING_S)
        wishes = [Wish(pot, lapsed, 60 * CENT, is_held=True)]
        (grant,) = (await leases.acquire(wishes, [Need(100 * CENT, (0,))], LASTING_S)).each
        assert grant is not None
        assert (grant.granted_picos, grant.is_valid) == (0, False)
        assert await spending_of(uow, budget_store, pot) == Spending()

    async def test_a_grant_prolongs_the_lease_and_a_refusal_does_not(
        self, leases: Leases, pot: Pot, let_pass: LetPass
    ) -> None:
        granted, refused = a_lease_id(), a_lease_id()
        for lease_id in (granted, refused):
            await acquire(leases, pot, lease_id, 10 * CENT)
        await let_pass(pot.tenant_id, LASTING_S - 5)
        assert (await acquire(leases, pot, granted, CENT)).granted_picos == CENT
        assert (await acquire(leases, pot, refused, 90 * CENT)).granted_picos == 0
        await let_pass(pot.tenant_id, 5)
        assert list((await leases.renew([(pot, granted), (pot, refused)], LASTING_S)).alive) == [True, False]

    async def test_what_is_given_back_is_there_for_others(
        self, uow: UnitOfWork, budget_store: BudgetStore, leases: Leases, pot: Pot
    ) -> None:
        lease_id = a_lease_id()
        await acquire(leases, pot, lease_id, 100 * CENT)
        await leases.give_back([(pot, lease_id, 40 * CENT)])
        assert await spending_of(uow, budget_store, pot) == Spending(0, 60 * CENT)
        assert (await acquire(leases, pot, a_lease_id(), 40 * CENT)).granted_picos == 40 * CENT

    async def test_a_lease_of_which_nothing_is_left_is_gone(
        self, uow: UnitOfWork, budget_store: BudgetStore, leases: Leases, pot: Pot
    ) -> None:
        emptied, overdrawn, lessened = (a_lease_id() for _ in range(3))
        for lease_id in (emptied, overdrawn, lessened):
            await acquire(leases, pot, lease_id, 10 * CENT)
        returns = [(pot, emptied, 4 * CENT), (pot, emptied, 6 * CENT), (pot, overdrawn, 99 * CENT), (pot, lessened, 0)]
        await leases.give_back([*returns, (pot, a_lease_id(), CENT)])
        pairs = [(pot, lease_id) for lease_id in (emptied, overdrawn, lessened)]
        assert list((await leases.renew(pairs, LASTING_S)).alive) == [False, False, True]
        assert await spending_of(uow, budget_store, pot) == Spending(0, 10 * CENT)

    async def test_leases_of_several_tenants_are_renewed_together(
        self, uow: UnitOfWork, budget_store: BudgetStore, leases: Leases, let_pass: LetPass
    ) -> None:
        pots = [await self.a_pot(uow, budget_store, leases, a_tenant_id()) for _ in range(3)]
        pairs = [(pot, a_lease_id()) for pot in (pots[2], pots[0], pots[1], pots[0])]
        for pot, lease_id in pairs[:3]:
            await acquire(leases, pot, lease_id, CENT)
        for _ in range(2):
            for pot in pots:
                await let_pass(pot.tenant_id, (LASTING_S - 5) / 3)
            assert list((await leases.renew(pairs, LASTING_S)).alive) == [True, True, True, False]
        await leases.give_back([(pot, lease_id, CENT) for pot, lease_id in pairs])
        for pot in pots:
            assert await spending_of(uow, budget_store, pot) == Spending()

    async def test_a_limit_below_what_is_set_aside_grants_nothing(
        self, uow: UnitOfWork, budget_store: BudgetStore, leases: Leases, pot: Pot
    ) -> None:
        await acquire(leases, pot, a_lease_id(), 80 * CENT)
        async with uow(pot.tenant_id) as tx:
            budget = await budget_store.lock(tx, pot.budget_id)
            budget.change_limit(Money(50, "USD"))
            await budget_store.save(tx, budget)
        assert await acquire(leases, pot, a_lease_id(), 1) == Grant(0, 0, 50 * CENT, 0, is_scarce=True)

    @pytest.mark.parametrize("days", [-32, -1, 1, 31])
    async def test_money_comes_only_of_the_period_that_runs(
        self, uow: UnitOfWork, budget_store: BudgetStore, leases: Leases, pot: Pot, days: int
    ) -> None:
        window = Window.DAY if abs(days) == 1 else Window.MONTH
        budget = await stored(uow, budget_store, a_budget(a_tenant_id(), window=window))
        now = await leases.now()
        other, running = pot_of(budget, now + timedelta(days=days)), pot_of(budget, now)
        grants = await acquire_all(leases, [other], [CENT])
        assert grants.each == [Grant(0, 0, 100 * CENT, 0, is_scarce=True, is_valid=False)]
        assert pot_of(budget, grants.moment) == running
        assert (await acquire(leases, running, a_lease_id(), 100 * CENT)).granted_picos == 100 * CENT
        assert await spending_of(uow, budget_store, other) == Spending()

    async def test_a_removed_budget_stops_no_call_and_harms_nobody(
        self, uow: UnitOfWork, budget_store: BudgetStore, leases: Leases, pot: Pot
    ) -> None:
        stays = await self.a_pot(uow, budget_store, leases, pot.tenant_id, window=Window.DAY)
        lease_id = a_lease_id()
        await acquire(leases, pot, lease_id, CENT)
        async with uow(pot.tenant_id) as tx:
            await budget_store.remove(tx, pot.budget_id)
        gone, grant = (await acquire_all(leases, [pot, stays], [60 * CENT, 60 * CENT])).each
        assert gone is None
        assert grant == Grant(60 * CENT, 0, 100 * CENT, 40 * CENT, is_scarce=True)
        with pytest.raises(UnknownBudget):
            await acquire(leases, pot, lease_id, CENT)
        await leases.give_back([(pot, lease_id, CENT)])
        assert list((await leases.renew([(pot, lease_id)], LASTING_S)).alive) == [False]

    async def test_a_tenant_cannot_draw_from_anothers_pot(
        self, uow: UnitOfWork, budget_store: BudgetStore, leases: Leases, pot: Pot
    ) -> None:
        stolen = Pot(a_tenant_id(), pot.budget_id, pot.period_start)
        assert (await acquire_all(leases, [stolen], [CENT])).each == [None]
        assert await spending_of(uow, budget_store, pot) == Spending()

    async def test_amounts_exceed_64_bits(self, uow: UnitOfWork, budget_store: BudgetStore, leases: Leases) -> None:
        huge = Money(10**12, "USD")
        pot = await self.a_pot(uow, budget_store, leases, a_tenant_id(), limit=huge)
        assert await acquire(leases, pot, a_lease_id(), huge.picos) == Grant(
            huge.picos, 0, huge.picos, 0, is_scarce=True
        )
        assert await spending_of(uow, budget_store, pot) == Spending(0, huge.picos)
