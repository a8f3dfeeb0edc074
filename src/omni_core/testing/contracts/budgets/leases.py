"""What every Leases does."""

import asyncio
from datetime import timedelta

import pytest

from omni_core.domain.budgets.errors import UnknownBudget
from omni_core.domain.budgets.model import Pot, Spending
from omni_core.domain.budgets.ports import BudgetStore, Grant, Leases
from omni_core.domain.kernel.money import Money
from omni_core.domain.kernel.uow import UnitOfWork
from omni_core.testing.builders.budgets import CENT, LATER, a_budget, a_lease_id, acquire, pot_of, spending_of, stored
from omni_core.testing.builders.kernel import a_tenant_id
from omni_core.testing.clock import NOON

JUST_BEFORE = LATER - timedelta(microseconds=1)


class LeasesContract:
    """Fixtures: `leases`, and of the same technology `budget_store` and `uow`. A pot has $1.00 unless it says so."""

    @pytest.fixture
    async def pot(self, uow: UnitOfWork, budget_store: BudgetStore) -> Pot:
        return pot_of(await stored(uow, budget_store, a_budget(a_tenant_id())))

    async def test_what_is_needed_is_granted_while_it_is_there(
        self, uow: UnitOfWork, budget_store: BudgetStore, leases: Leases, pot: Pot
    ) -> None:
        mine, theirs = a_lease_id(), a_lease_id()
        assert await acquire(leases, pot, mine, 60 * CENT) == Grant(60 * CENT, 0, 100 * CENT)
        assert await acquire(leases, pot, theirs, 41 * CENT) == Grant(0, 0, 100 * CENT)
        assert await acquire(leases, pot, theirs, 30 * CENT) == Grant(30 * CENT, 0, 100 * CENT)
        assert await acquire(leases, pot, mine, 10 * CENT) == Grant(10 * CENT, 0, 100 * CENT)
        assert await spending_of(uow, budget_store, pot) == Spending(0, 100 * CENT)

    async def test_what_is_wanted_beyond_the_need_is_granted_as_far_as_it_goes(self, leases: Leases, pot: Pot) -> None:
        assert (await acquire(leases, pot, a_lease_id(), CENT, want=70 * CENT)).granted_picos == 70 * CENT
        assert (await acquire(leases, pot, a_lease_id(), CENT, want=70 * CENT)).granted_picos == 30 * CENT

    async def test_a_surplus_is_granted_only_far_from_the_end(self, leases: Leases, pot: Pot) -> None:
        assert (await acquire(leases, pot, a_lease_id(), 1000)).granted_picos == 64 * 1000
        left = 100 * CENT - 64 * 1000
        assert (await acquire(leases, pot, a_lease_id(), CENT // 10)).granted_picos == left // 128
        left -= left // 128
        assert (await acquire(leases, pot, a_lease_id(), CENT)).granted_picos == CENT

    async def test_parallel_wishes_never_pass_the_limit(
        self, uow: UnitOfWork, budget_store: BudgetStore, leases: Leases, pot: Pot
    ) -> None:
        grants = await asyncio.gather(*(acquire(leases, pot, a_lease_id(), 3 * CENT) for _ in range(50)))
        assert sorted(grant.granted_picos for grant in grants) == [0] * 17 + [3 * CENT] * 33
        assert await spending_of(uow, budget_store, pot) == Spending(0, 99 * CENT)

    async def test_a_lapsed_lease_is_taken_back(self, leases: Leases, pot: Pot) -> None:
        lapsing = a_lease_id()
        await acquire(leases, pot, lapsing, 100 * CENT)
        assert (await acquire(leases, pot, a_lease_id(), CENT, now=JUST_BEFORE)).granted_picos == 0
        assert (await acquire(leases, pot, a_lease_id(), 100 * CENT, now=LATER)).granted_picos == 100 * CENT
        assert list(await leases.renew([(pot, lapsing)], LATER, LATER)) == [False]

    async def test_a_grant_prolongs_the_lease_and_a_refusal_does_not(self, leases: Leases, pot: Pot) -> None:
        granted, refused = a_lease_id(), a_lease_id()
        for lease_id in (granted, refused):
            await acquire(leases, pot, lease_id, 10 * CENT)
        assert (await acquire(leases, pot, granted, CENT, now=JUST_BEFORE)).granted_picos == CENT
        assert (await acquire(leases, pot, refused, 90 * CENT, now=JUST_BEFORE)).granted_picos == 0
        pairs = [(pot, granted), (pot, refused)]
        assert list(await leases.renew(pairs, LATER, LATER)) == [True, False]

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
        assert list(await leases.renew(pairs, NOON, LATER)) == [False, False, True]
        assert await spending_of(uow, budget_store, pot) == Spending(0, 10 * CENT)

    async def test_leases_of_several_tenants_are_renewed_together(
        self, uow: UnitOfWork, budget_store: BudgetStore, leases: Leases
    ) -> None:
        pots = [pot_of(await stored(uow, budget_store, a_budget(a_tenant_id()))) for _ in range(3)]
        pairs = [(pot, a_lease_id()) for pot in (pots[2], pots[0], pots[1], pots[0])]
        for pot, lease_id in pairs[:3]:
            await acquire(leases, pot, lease_id, CENT)
        until = LATER + timedelta(seconds=30)
        assert list(await leases.renew(pairs, JUST_BEFORE, until)) == [True, True, True, False]
        assert list(await leases.renew(pairs, LATER, until)) == [True, True, True, False]
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
        assert await acquire(leases, pot, a_lease_id(), 1) == Grant(0, 0, 50 * CENT)

    async def test_periods_are_separate(self, uow: UnitOfWork, budget_store: BudgetStore, leases: Leases) -> None:
        budget = await stored(uow, budget_store, a_budget(a_tenant_id()))
        for moment in (NOON, NOON + timedelta(days=31)):
            assert (await acquire(leases, pot_of(budget, moment), a_lease_id(), 100 * CENT)).granted_picos

    async def test_a_removed_budget_grants_nothing_and_harms_nobody(
        self, uow: UnitOfWork, budget_store: BudgetStore, leases: Leases, pot: Pot
    ) -> None:
        lease_id = a_lease_id()
        await acquire(leases, pot, lease_id, CENT)
        async with uow(pot.tenant_id) as tx:
            await budget_store.remove(tx, pot.budget_id)
        with pytest.raises(UnknownBudget):
            await acquire(leases, pot, lease_id, CENT)
        await leases.give_back([(pot, lease_id, CENT)])
        assert list(await leases.renew([(pot, lease_id)], NOON, LATER)) == [False]

    async def test_a_tenant_cannot_draw_from_anothers_pot(self, leases: Leases, pot: Pot) -> None:
        stolen = Pot(a_tenant_id(), pot.budget_id, pot.period_start)
        with pytest.raises(UnknownBudget):
            await acquire(leases, stolen, a_lease_id(), CENT)

    async def test_amounts_exceed_64_bits(self, uow: UnitOfWork, budget_store: BudgetStore, leases: Leases) -> None:
        huge = Money(10**12, "USD")
        pot = pot_of(await stored(uow, budget_store, a_budget(a_tenant_id(), limit=huge)))
        assert await acquire(leases, pot, a_lease_id(), huge.picos) == Grant(huge.picos, 0, huge.picos)
        assert await spending_of(uow, budget_store, pot) == Spending(0, huge.picos)
