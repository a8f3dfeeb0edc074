"""What every BudgetStore does."""

import asyncio
from datetime import timedelta

import pytest

from omni_core.domain.budgets.errors import BudgetExists, OperatorsBudget, UnknownBudget
from omni_core.domain.budgets.model import Budget, Maker, Spending, Window
from omni_core.domain.budgets.ports import BudgetStore, Leases
from omni_core.domain.kernel.ids import Ids
from omni_core.domain.kernel.money import Money
from omni_core.domain.kernel.stored import rebuilds
from omni_core.domain.kernel.tenancy import TenantId
from omni_core.domain.kernel.uow import UnitOfWork
from omni_core.testing.builders.budgets import (
    CENT,
    LASTING_S,
    a_budget,
    a_lease_id,
    acquire,
    pot_of,
    spending_of,
    stored,
)
from omni_core.testing.builders.kernel import a_tenant_id, unheard_of
from omni_core.testing.clock import NOON


class BudgetStoreContract:
    """Fixtures: `budget_store`, and of the same technology `uow` and `leases`; and `ids`."""

    @pytest.mark.parametrize("limit", [Money(0, "USD"), Money(12345, "JPY"), Money(1, "KWD"), Money(10**18, "USD")])
    async def test_a_budget_comes_back_as_it_went_in(
        self, uow: UnitOfWork, budget_store: BudgetStore, ids: Ids, limit: Money
    ) -> None:
        created_at = NOON + timedelta(microseconds=1)
        given = {"key_id": ids.new(), "window": Window.DAY, "limit": limit, "created_at": created_at}
        budget = a_budget(a_tenant_id(), **given, made_by=Maker.TENANT)
        await stored(uow, budget_store, budget)
        async with uow(budget.tenant_id) as tx:
            assert await budget_store.lock(tx, budget.id) == budget
            assert list(await budget_store.list(tx)) == [budget]

    async def test_a_key_and_the_tenant_each_have_one_budget_a_window(
        self, uow: UnitOfWork, budget_store: BudgetStore, ids: Ids
    ) -> None:
        tenant_id, key_id = a_tenant_id(), ids.new()
        budgets = [
            await stored(uow, budget_store, a_budget(tenant_id, key_id=owner, window=window))
            for owner in (None, key_id, ids.new())
            for window in Window
        ]
        async with uow(tenant_id) as tx:
            for owner in (None, key_id):
                with pytest.raises(BudgetExists):
                    await budget_store.add(tx, a_budget(tenant_id, key_id=owner))
        assert await budgets_of(uow, budget_store, tenant_id) == budgets

    async def test_of_two_made_at_once_one_stays(self, uow: UnitOfWork, budget_store: BudgetStore) -> None:
        tenant_id = a_tenant_id()
        rivals = (stored(uow, budget_store, a_budget(tenant_id)) for _ in range(4))
        outcomes = await asyncio.gather(*rivals, return_exceptions=True)
        made = [outcome for outcome in outcomes if isinstance(outcome, Budget)]
        assert [type(outcome) for outcome in outcomes if outcome not in made] == [BudgetExists] * 3
        assert await budgets_of(uow, budget_store, tenant_id) == made

    async def test_no_change_of_a_limit_is_lost(self, uow: UnitOfWork, budget_store: BudgetStore) -> None:
        budget = await stored(uow, budget_store, a_budget(a_tenant_id(), limit=100))

        async def raise_by_a_cent() -> None:
            async with uow(budget.tenant_id) as tx:
                locked = await budget_store.lock(tx, budget.id)
                await asyncio.sleep(0)
                locked.change_limit(locked.limit + Money(1, "USD"))
                await budget_store.save(tx, locked)

        await asyncio.gather(*(raise_by_a_cent() for _ in range(8)))
        (changed,) = await budgets_of(uow, budget_store, budget.tenant_id)
        assert changed.limit == Money(108, "USD")

    async def test_a_budget_is_removed_with_what_was_spent_of_it(
        self, uow: UnitOfWork, budget_store: BudgetStore, leases: Leases
    ) -> None:
        stays = await stored(uow, budget_store, a_budget(a_tenant_id(), window=Window.DAY))
        goes = await stored(uow, budget_store, a_budget(stays.tenant_id))
        now = await leases.now()
        for budget in (stays, goes):
            await acquire(leases, pot_of(budget, now), a_lease_id(), 5 * CENT)
        async with uow(goes.tenant_id) as tx:
            await budget_store.lock(tx, goes.id)
            await budget_store.remove(tx, goes.id)
        assert await budgets_of(uow, budget_store, goes.tenant_id) == [stays]
        assert await spending_of(uow, budget_store, pot_of(goes, now)) == Spending()
        assert await spending_of(uow, budget_store, pot_of(stays, now)) == Spending(0, 5 * CENT)

    async def test_spending_is_told_in_the_order_asked(
        self, uow: UnitOfWork, budget_store: BudgetStore, leases: Leases
    ) -> None:
        day = await stored(uow, budget_store, a_budget(a_tenant_id(), window=Window.DAY))
        month = await stored(uow, budget_store, a_budget(day.tenant_id))
        now = await leases.now()
        for number, budget in enumerate((day, month), start=1):
            await acquire(leases, pot_of(budget, now), a_lease_id(), number * CENT)
        async with uow(day.tenant_id) as tx:
            moments = [(month, now), (day, now + timedelta(days=1)), (day, now)]
            pots = [pot_of(budget, moment) for budget, moment in moments]
            assert [one.reserved_picos for one in await budget_store.spending(tx, pots, now)] == [2 * CENT, 0, CENT]
            assert list(await budget_store.spending(tx, [], now)) == []

    async def test_a_lapsed_lease_sets_nothing_aside(
        self, uow: UnitOfWork, budget_store: BudgetStore, leases: Leases
    ) -> None:
        budget = await stored(uow, budget_store, a_budget(a_tenant_id()))
        asked_at = await leases.now()
        pot = pot_of(budget, asked_at)
        await acquire(leases, pot, a_lease_id(), CENT)
        just_before = asked_at + timedelta(seconds=LASTING_S, microseconds=-1)
        later = await leases.now() + timedelta(seconds=LASTING_S)
        async with uow(budget.tenant_id) as tx:
            (before,) = await budget_store.spending(tx, [pot], just_before)
            (after,) = await budget_store.spending(tx, [pot], later)
        assert (before.reserved_picos, after.reserved_picos) == (CENT, 0)

    async def test_a_transaction_tells_the_time_that_leases_go_by(
        self, uow: UnitOfWork, budget_store: BudgetStore, leases: Leases
    ) -> None:
        before = await leases.now()
        async with uow(a_tenant_id()) as tx:
            now = await budget_store.now(tx)
        assert before <= now <= await leases.now()

    async def test_a_tenants_transaction_reaches_no_other_tenant(
        self, uow: UnitOfWork, budget_store: BudgetStore, leases: Leases
    ) -> None:
        theirs = await stored(uow, budget_store, a_budget(a_tenant_id()))
        pot = pot_of(theirs, await leases.now())
        await acquire(leases, pot, a_lease_id(), CENT)
        async with uow(a_tenant_id()) as tx:
            assert list(await budget_store.list(tx)) == []
            assert list(await budget_store.spending(tx, [pot], await leases.now())) == [Spending()]
            with pytest.raises(UnknownBudget):
                await budget_store.lock(tx, theirs.id)
            await budget_store.remove(tx, theirs.id)
        assert await budgets_of(uow, budget_store, theirs.tenant_id) == [theirs]

    @pytest.mark.parametrize("limit", [(-1, "USD"), (1234, "XYZ")])
    async def test_a_budget_of_another_release_is_read_repaired_and_removed(
        self, uow: UnitOfWork, budget_store: BudgetStore, limit: tuple[int, str]
    ) -> None:
        unheard = {"window": unheard_of(Window), "made_by": unheard_of(Maker)}
        budget = rebuilds(lambda: a_budget(a_tenant_id(), limit=Money(*limit), **unheard))()
        await stored(uow, budget_store, budget)
        assert await budgets_of(uow, budget_store, budget.tenant_id) == [budget]
        async with uow(budget.tenant_id) as tx:
            locked = await budget_store.lock(tx, budget.id)
            assert locked == budget
            with pytest.raises(OperatorsBudget):
                locked.change_limit(Money(100, "USD"), Maker.TENANT)
            locked.change_limit(Money(100, "USD"))
            await budget_store.save(tx, locked)
        (repaired,) = await budgets_of(uow, budget_store, budget.tenant_id)
        assert (repaired.limit, repaired.window) == (Money(100, "USD"), unheard_of(Window))
        assert repaired.made_by is Maker.OPERATOR
        async with uow(budget.tenant_id) as tx:
            await budget_store.remove(tx, budget.id)
        assert await budgets_of(uow, budget_store, budget.tenant_id) == []


async def budgets_of(uow: UnitOfWork, budget_store: BudgetStore, tenant_id: TenantId) -> list[Budget]:
    """Return the budgets as they are committed."""
    async with uow(tenant_id) as tx:
        return list(await budget_store.list(tx))
