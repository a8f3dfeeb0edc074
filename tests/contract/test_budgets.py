from omni_core.adapters.memory.budgets import MemoryBudgetStore, MemoryLeases
from omni_core.adapters.postgres.budgets import PostgresBudgetStore, PostgresLeases
from omni_core.testing.contracts.budgets import BudgetStoreContract, LeasesContract
from tests.support.backends import on_each


class TestBudgetStore(BudgetStoreContract):
    budget_store = on_each(MemoryBudgetStore, PostgresBudgetStore)
    leases = on_each(MemoryLeases, PostgresLeases)


class TestLeases(LeasesContract):
    leases = on_each(MemoryLeases, PostgresLeases)
    budget_store = on_each(MemoryBudgetStore, PostgresBudgetStore)
