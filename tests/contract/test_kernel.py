from omni_core.testing.contracts.event_log import EventLogContract
from omni_core.testing.contracts.uow import UnitOfWorkContract


class TestUnitOfWork(UnitOfWorkContract): ...


class TestEventLog(EventLogContract): ...
