from functools import partial

import pytest

from omni_core.adapters.memory.budgets import MemoryBudgetStore, MemoryLeases
from omni_core.adapters.postgres.budgets import PostgresBudgetStore, PostgresLeases
from omni_core.testing.contracts.budgets import BudgetStoreContract, LeasesContract
from omni_core.testing.contracts.budgets.leases import LetPass
from tests.support.backends import Backend, on_each
from tests.support.tills import let_pass


class TestBudgetStore(BudgetStoreContract):
    budget_store = on_each(MemoryBudgetStore, PostgresBudgetStore)
    leases = on_each(MemoryLeases, PostgresLeases)


class TestLeases(LeasesContract):
    leases = on_each(MemoryLeases, PostgresLeases)
    budget_store = on_each(MemoryBudgetStore, PostgresBudgetStore)

    @pytest.fixture
    def let_pass(self, backend: Backend) -> LetPass:
        return partial(let_pass, backend)
