from omni_core.adapters.memory.events import MemoryEventLog
from omni_core.adapters.memory.tenancy import MemoryTenantStore
from omni_core.adapters.postgres.events import PostgresEventLog
from omni_core.adapters.postgres.tenancy import PostgresTenantStore
from omni_core.testing.contracts.kernel import UnitOfWorkContract
from tests.support.backends import on_each


class TestUnitOfWork(UnitOfWorkContract):
    event_log = on_each(MemoryEventLog, PostgresEventLog)
    tenant_store = on_each(MemoryTenantStore, PostgresTenantStore)
