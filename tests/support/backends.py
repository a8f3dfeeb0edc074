"""The same ports on every technology, so that one suite runs on all of them: fixtures, loaded by tests/conftest.py.

A new context adds nothing here: its tests name its adapters.
"""

import asyncio
import inspect
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

import asyncpg
import pytest

from omni_core.adapters.memory.database import MemoryDatabase
from omni_core.adapters.postgres.engine import Database
from omni_core.adapters.postgres.uow import PostgresUnitOfWork
from omni_core.adapters.system import SystemIds
from omni_core.domain.kernel.clock import Clock
from omni_core.domain.kernel.ids import Ids
from omni_core.domain.kernel.uow import UnitOfWork
from omni_core.testing import FixedClock

# One source for the process: backends share a database, and ids must differ and grow across them.
_ids = SystemIds()
A = TypeVar("A")
M = TypeVar("M")
P = TypeVar("P")


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """One technology, open. The clock stands still until the test moves it."""

    name: str
    clock: FixedClock
    ids: Ids
    uow: UnitOfWork
    database: MemoryDatabase | Database
    _made: dict[type, Any] = field(default_factory=dict, repr=False)

    def make(self, adapter: type[A]) -> A:
        """Return the backend's one adapter of this class, made of what its constructor asks for without a default."""
        if adapter not in self._made:
            offered: dict[Any, Any] = {MemoryDatabase: self.database, Clock: self.clock, Ids: self.ids}
            if isinstance(self.database, Database):
                offered[asyncpg.Pool] = self.database.pool
            wanted = inspect.signature(adapter, eval_str=True).parameters.values()
            given = [offered[one.annotation] for one in wanted if one.default is one.empty]
            self._made[adapter] = adapter(*given)
        made: A = self._made[adapter]
        return made

    def adapter(self, in_memory: type[M], on_postgres: type[P]) -> M | P:
        """Return the one of two adapters that is of this technology."""
        return self.make(in_memory) if isinstance(self.database, MemoryDatabase) else self.make(on_postgres)

    async def close(self) -> None:
        """Close every adapter that was made and can be closed."""
        await asyncio.gather(*(adapter.close() for adapter in self._made.values() if hasattr(adapter, "close")))


def on_each(in_memory: type[Any], on_postgres: type[Any]) -> Any:
    """Return a fixture that gives a port's adapter of the backend in turn: an attribute of a suite, named for it."""

    @pytest.fixture
    def provide(suite: object, backend: Backend) -> Any:
        return backend.adapter(in_memory, on_postgres)

    return provide


@pytest.fixture
async def memory() -> AsyncIterator[Backend]:
    """A backend for tests of models and services: nothing to start, nothing to wait for."""
    clock = FixedClock()
    database = MemoryDatabase(clock, _ids)
    backend = Backend(name="memory", clock=clock, ids=_ids, uow=database.begin, database=database)
    yield backend
    await backend.close()


@pytest.fixture
async def postgres(database: Database) -> AsyncIterator[Backend]:
    """A backend on the shared database, which other tests' tenants may be in as well."""
    clock = FixedClock()
    uow = PostgresUnitOfWork(database.engine, clock, _ids)
    backend = Backend(name="postgres", clock=clock, ids=_ids, uow=uow, database=database)
    yield backend
    await backend.close()


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.postgres)])
def backend(request: pytest.FixtureRequest) -> Backend:
    """Each backend in turn; whatever a test shows of one, it shows of all."""
    chosen: Backend = request.getfixturevalue(request.param)
    return chosen
