"""The face of budgets: what shells and other contexts may use of them."""

from omni_core.domain.budgets.desk import BudgetDesk
from omni_core.domain.budgets.errors import BudgetExhausted
from omni_core.domain.budgets.lease import Reservation
from omni_core.domain.budgets.model import Budget, BudgetStatus, Charge, Maker, Spending, Window
from omni_core.domain.budgets.service import Budgets, SetBudget

__all__ = [
    "Budget",
    "BudgetDesk",
    "BudgetExhausted",
    "BudgetStatus",
    "Budgets",
    "Charge",
    "Maker",
    "Reservation",
    "SetBudget",
    "Spending",
    "Window",
]
