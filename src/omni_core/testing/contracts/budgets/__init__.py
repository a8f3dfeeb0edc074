"""What every adapter of the budgets' ports does."""

from omni_core.testing.contracts.budgets.budget_store import BudgetStoreContract
from omni_core.testing.contracts.budgets.leases import LeasesContract

__all__ = ["BudgetStoreContract", "LeasesContract"]
