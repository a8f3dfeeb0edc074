"""What goes wrong with budgets."""

from omni_core.domain.kernel.errors import Conflict, Forbidden, Invalid, NotFound, Precondition, Quota


class UnknownBudget(NotFound):
    """There is no such budget."""

    code = "budgets.unknown_budget"


class InvalidBudget(Invalid):
    """The budget is not valid."""

    code = "budgets.invalid_budget"


class BudgetExists(Conflict):
    """The tenant, or the key, has a budget for that window already."""

    code = "budgets.budget_exists"


class OperatorsBudget(Forbidden):
    """The budget is the operator's, and not the tenant's to change or remove."""

    code = "budgets.operators_budget"


class UnknownWindow(Precondition):
    """A budget has a window that this release does not know."""

    code = "budgets.unknown_window"


class BudgetExhausted(Quota):
    """The budget of this period is used up."""

    code = "budgets.exhausted"
