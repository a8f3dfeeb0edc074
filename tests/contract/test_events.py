from omni_core.adapters.memory.events import MemoryEventLog
from omni_core.adapters.postgres.events import PostgresEventLog
from omni_core.testing.contracts.events import EventLogContract
from tests.support.backends import on_each


class TestEventLog(EventLogContract):
    event_log = on_each(MemoryEventLog, PostgresEventLog)
