"""The same ports on every technology, so that one suite runs on all of them: fixtures, loaded by tests/conftest.py.

A context joins with one line in `Backend` and one in each function that builds one.
"""

from dataclasses import dataclass

import pytest

from omni_core.adapters.memory.billing import MemoryInvoiceStore
from omni_core.adapters.memory.database import MemoryDatabase
from omni_core.adapters.memory.events import MemoryEventLog
from omni_core.adapters.memory.jobs import MemoryJobQueue, MemoryJobStore
from omni_core.adapters.memory.tenancy import MemoryDirectory, MemoryKeyStore, MemoryTenantStore
from omni_core.adapters.postgres.billing import PostgresInvoiceStore
from omni_core.adapters.postgres.engine import Database
from omni_core.adapters.postgres.events import PostgresEventLog
from omni_core.adapters.postgres.job_queue import PgQueuerJobQueue
from omni_core.adapters.postgres.jobs import PostgresJobStore
from omni_core.adapters.postgres.tenancy import PostgresDirectory, PostgresKeyStore, PostgresTenantStore
from omni_core.adapters.postgres.uow import PostgresUnitOfWork
from omni_core.adapters.system import SystemIds
from omni_core.domain.billing.ports import InvoiceStore
from omni_core.domain.jobs.ports import JobQueue, JobStore
from omni_core.domain.kernel.ids import Ids
from omni_core.domain.kernel.uow import EventLog, UnitOfWork
from omni_core.domain.tenancy.ports import Directory, KeyStore, TenantStore
from omni_core.testing import FixedClock

# One source for the process: backends share a database, and ids must differ and grow across them.
_ids = SystemIds()


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """One technology's adapter of every storage port. The clock stands still until the test moves it."""

    name: str
    clock: FixedClock
    ids: Ids
    uow: UnitOfWork
    event_log: EventLog
    tenant_store: TenantStore
    key_store: KeyStore
    directory: Directory
    invoice_store: InvoiceStore
    job_store: JobStore
    job_queue: JobQueue


def memory_backend() -> Backend:
    """Return everything in memory, empty."""
    clock = FixedClock()
    database = MemoryDatabase(clock, _ids)
    return Backend(
        name="memory",
        clock=clock,
        ids=_ids,
        uow=database.begin,
        event_log=MemoryEventLog(),
        tenant_store=MemoryTenantStore(database),
        key_store=MemoryKeyStore(),
        directory=MemoryDirectory(database),
        invoice_store=MemoryInvoiceStore(),
        job_store=MemoryJobStore(),
        job_queue=MemoryJobQueue(database),
    )


def postgres_backend(database: Database) -> Backend:
    """Return everything on an open database, which other tests' tenants may be in as well."""
    clock = FixedClock()
    return Backend(
        name="postgres",
        clock=clock,
        ids=_ids,
        uow=PostgresUnitOfWork(database.engine, clock, _ids),
        event_log=PostgresEventLog(),
        tenant_store=PostgresTenantStore(),
        key_store=PostgresKeyStore(),
        directory=PostgresDirectory(database.pool),
        invoice_store=PostgresInvoiceStore(),
        job_store=PostgresJobStore(),
        job_queue=PgQueuerJobQueue(),
    )


@pytest.fixture
def memory() -> Backend:
    """A backend for tests of models and services: nothing to start, nothing to wait for."""
    return memory_backend()


@pytest.fixture
def postgres(database: Database) -> Backend:
    """A backend on the shared database, for tests that are about PostgreSQL."""
    return postgres_backend(database)


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.postgres)])
def backend(request: pytest.FixtureRequest) -> Backend:
    """Each backend in turn; whatever a test shows of one, it shows of all."""
    chosen: Backend = request.getfixturevalue(request.param)
    return chosen
