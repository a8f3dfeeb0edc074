import pytest

from omni_core.adapters.memory.database import MemoryDatabase
from omni_core.adapters.memory.events import memory_event_storage
from omni_core.adapters.postgres.events import postgres_event_storage
from omni_core.domain.events.ports import EventLog, EventStorage
from omni_core.testing.contracts.events import (
    CursorsContract,
    EventLogContract,
    HeldEventsContract,
    HoldingContract,
    InboxContract,
    ReactingContract,
    ReplayContract,
    WakingContract,
)
from tests.support.backends import Backend


@pytest.fixture
def storage(backend: Backend) -> EventStorage:
    if isinstance(backend.database, MemoryDatabase):
        return memory_event_storage(backend.database)
    return postgres_event_storage(backend.uow, backend.database.pool, backend.clock, backend.ids)


@pytest.fixture
def event_log(storage: EventStorage) -> EventLog:
    return storage.log


class TestEventLog(EventLogContract): ...


class TestCursors(CursorsContract): ...


class TestInbox(InboxContract): ...


class TestHeldEvents(HeldEventsContract): ...


class TestWaking(WakingContract): ...


class TestReacting(ReactingContract): ...


class TestHolding(HoldingContract): ...


class TestReplay(ReplayContract): ...
