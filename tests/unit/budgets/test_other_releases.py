"""Budgets whose rows another release wrote."""

import pytest

from omni_core.adapters.memory.tenancy import MemoryKeyStore
from omni_core.domain.budgets.api import Budget, Budgets, Maker, Spending, Window
from omni_core.domain.budgets.errors import OperatorsBudget, UnknownWindow
from omni_core.domain.kernel.money import Money
from omni_core.domain.kernel.stored import rebuilds
from omni_core.domain.kernel.tenancy import Principal
from omni_core.testing.builders.budgets import CENT, a_budget, stored
from omni_core.testing.builders.kernel import an_id, unheard_of
from omni_core.testing.builders.tenancy import a_principal
from tests.support.backends import Backend
from tests.support.tills import Till

ODD = unheard_of(Window)


@pytest.fixture
def budgets(memory: Backend, till: Till) -> Budgets:
    return Budgets(memory.uow, till.budget_store, memory.make(MemoryKeyStore), memory.clock, memory.ids, "USD")


async def an_odd_budget(till: Till, **given: object) -> Budget:
    budget = rebuilds(a_budget)(till.tenant_id, **{"window": ODD, **given})
    return await stored(till.backend.uow, till.budget_store, budget)


async def test_one_whose_window_nobody_knows_is_listed_without_a_period(budgets, till):
    odd = await an_odd_budget(till)
    month = await till.budget(100)
    first, second = await budgets.list(till.principal)
    assert (first.budget, first.spending, first.period_start, first.resets_at) == (odd, Spending(), None, None)
    assert (second.budget, second.remaining_picos) == (month, 100 * CENT)


async def test_its_limit_can_be_changed_and_it_can_be_removed(budgets, till):
    odd, operator = await an_odd_budget(till), Principal.operator(till.tenant_id)
    assert (await budgets.change_limit(operator, odd.id, "2")).budget.limit == Money(200, "USD")
    await budgets.remove(operator, odd.id)
    assert list(await budgets.list(operator)) == []


async def test_one_of_which_nobody_knows_who_made_it_is_the_operators(budgets, till):
    odd, operator = await an_odd_budget(till, made_by=unheard_of(Maker)), Principal.operator(till.tenant_id)
    for attempt in (budgets.change_limit(till.principal, odd.id, "2"), budgets.remove(till.principal, odd.id)):
        with pytest.raises(OperatorsBudget):
            await attempt
    assert (await budgets.change_limit(operator, odd.id, "2")).budget.made_by is Maker.OPERATOR


async def test_calls_that_it_holds_for_are_refused(till):
    odd = await an_odd_budget(till)
    with pytest.raises(UnknownWindow) as refused:
        await till.reserve(till.desk(), 1)
    assert refused.value.fields == {"budget_id": str(odd.id), "window": "unheard_of"}


async def test_what_was_taken_from_other_budgets_is_free_again(till):
    desk, month = till.desk(), await till.budget(100)
    odd = await an_odd_budget(till)
    with pytest.raises(UnknownWindow):
        await till.reserve(desk, 100)
    await till.remove(odd)
    till.backend.clock.advance(1)
    await till.reserve(desk, 100)
    assert (await till.spending(month))[1] == 100


async def test_calls_that_it_does_not_hold_for_go_on(till):
    await an_odd_budget(till, key_id=an_id())
    await till.reserve(till.desk(), 1, a_principal(till.tenant_id))


async def test_a_limit_below_zero_lets_nothing_through(budgets, till):
    odd = await an_odd_budget(till, window=Window.MONTH, limit=rebuilds(Money)(-5, "USD"))
    (status,) = await budgets.list(till.principal)
    assert (status.budget, status.remaining_picos) == (odd, 0)
