from omni_core.testing.contracts.budget_store import BudgetStoreContract
from omni_core.testing.contracts.leases import LeasesContract


class TestBudgetStore(BudgetStoreContract): ...


class TestLeases(LeasesContract): ...
