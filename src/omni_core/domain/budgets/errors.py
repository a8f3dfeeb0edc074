"""What goes wrong with budgets."""

from omni_core.domain.kernel.errors import Invalid, NotFound, Quota


class UnknownBudget(NotFound):
    """There is no such budget."""

    code = "budgets.unknown_budget"


class InvalidBudget(Invalid):
    """The budget is not valid."""

    code = "budgets.invalid_budget"


class BudgetExhausted(Quota):
    """The budget of this period is used up."""

    code = "budgets.exhausted"
