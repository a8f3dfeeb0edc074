from omni_core.adapters.memory.budgets import MemoryBudgetStore, MemoryLeases
from omni_core.adapters.memory.metering import MemoryUsageLog, MemoryUsageReader
from omni_core.adapters.postgres.budgets import PostgresBudgetStore, PostgresLeases
from omni_core.adapters.postgres.metering import PostgresUsageReader
from omni_core.adapters.postgres.usage_log import PostgresUsageLog
from omni_core.testing.contracts.metering import UsageLogContract, UsageReaderContract
from tests.support.backends import on_each


class TestUsageLog(UsageLogContract):
    usage_log = on_each(MemoryUsageLog, PostgresUsageLog)
    usage_reader = on_each(MemoryUsageReader, PostgresUsageReader)
    budget_store = on_each(MemoryBudgetStore, PostgresBudgetStore)
    leases = on_each(MemoryLeases, PostgresLeases)


class TestUsageReader(UsageReaderContract):
    usage_reader = on_each(MemoryUsageReader, PostgresUsageReader)
    usage_log = on_each(MemoryUsageLog, PostgresUsageLog)
