from datetime import UTC, datetime

import pytest

from omni_core.domain.budgets.api import BudgetStatus, Spending, Window
from omni_core.domain.budgets.errors import InvalidBudget
from omni_core.domain.kernel.money import Money
from omni_core.testing.builders.budgets import CENT, a_budget
from omni_core.testing.builders.kernel import a_tenant_id
from omni_core.testing.clock import NOON


@pytest.mark.parametrize(
    "window,start,end",
    [
        (Window.DAY, datetime(2026, 11, 21, tzinfo=UTC), datetime(2026, 11, 22, tzinfo=UTC)),
        (Window.MONTH, datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)),
    ],
)
def test_a_period_is_a_day_or_a_month_in_utc(window, start, end):
    assert window.period(NOON) == (start, end)
    assert window.period(start) == (start, end)
    assert window.period(end)[0] == end


def test_a_limit_may_be_nothing_but_not_less():
    assert a_budget(a_tenant_id(), limit=0).limit == Money(0, "USD")
    with pytest.raises(InvalidBudget):
        a_budget(a_tenant_id(), limit=-1)


def test_changing_a_limit_tells_so_once():
    budget = a_budget(a_tenant_id(), limit=100)
    assert budget.change_limit(Money(200, "USD")) == [budget.was_set()]
    assert budget.change_limit(Money(200, "USD")) == []
    assert budget.was_set().limit_minor == 200
    with pytest.raises(InvalidBudget):
        budget.change_limit(Money(-1, "USD"))
    assert budget.limit == Money(200, "USD")


@pytest.mark.parametrize("spending,remaining", [(Spending(), 100), (Spending(30, 20), 50), (Spending(90, 20), 0)])
def test_what_remains_is_neither_spent_nor_set_aside(spending, remaining):
    in_picos = Spending(spending.spent_picos * CENT, spending.reserved_picos * CENT)
    budget = a_budget(a_tenant_id(), limit=100)
    status = BudgetStatus(budget, in_picos, *budget.period(NOON))
    assert status.remaining_picos == remaining * CENT
