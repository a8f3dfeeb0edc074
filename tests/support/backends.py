"""The same ports on every technology, so that one suite runs on all of them: fixtures, loaded by tests/conftest.py.

A context joins with one line in `Backend` and one in each function that builds one.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from omni_core.adapters.memory.billing import MemoryBillableUsage, MemoryInvoiceStore
from omni_core.adapters.memory.budgets import MemoryBudgetStore, MemoryLeases
from omni_core.adapters.memory.database import MemoryDatabase
from omni_core.adapters.memory.events import MemoryEventLog
from omni_core.adapters.memory.jobs import MemoryJobQueue, MemoryJobStore
from omni_core.adapters.memory.llm import MemoryCatalogueStore
from omni_core.adapters.memory.metering import MemoryUsageLog, MemoryUsageReader
from omni_core.adapters.memory.pricing import MemoryPriceStore
from omni_core.adapters.memory.tenancy import MemoryDirectory, MemoryKeyStore, MemoryTenantStore
from omni_core.adapters.postgres.billable_usage import PostgresBillableUsage
from omni_core.adapters.postgres.billing import PostgresInvoiceStore
from omni_core.adapters.postgres.budgets import PostgresBudgetStore, PostgresLeases
from omni_core.adapters.postgres.engine import Database
from omni_core.adapters.postgres.events import PostgresEventLog
from omni_core.adapters.postgres.job_queue import PgQueuerJobQueue
from omni_core.adapters.postgres.jobs import PostgresJobStore
from omni_core.adapters.postgres.llm import PostgresCatalogueStore
from omni_core.adapters.postgres.metering import PostgresUsageReader
from omni_core.adapters.postgres.pricing import PostgresPriceStore
from omni_core.adapters.postgres.tenancy import PostgresDirectory, PostgresKeyStore, PostgresTenantStore
from omni_core.adapters.postgres.uow import PostgresUnitOfWork
from omni_core.adapters.postgres.usage_log import PostgresUsageLog
from omni_core.adapters.system import SystemIds
from omni_core.domain.billing.ports import BillableUsage, InvoiceStore
from omni_core.domain.budgets.ports import BudgetStore, Leases
from omni_core.domain.jobs.ports import JobQueue, JobStore
from omni_core.domain.kernel.ids import Ids
from omni_core.domain.kernel.uow import EventLog, UnitOfWork
from omni_core.domain.llm.ports import CatalogueStore
from omni_core.domain.metering.ports import UsageLog, UsageReader
from omni_core.domain.pricing.ports import PriceStore
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
    catalogue_store: CatalogueStore
    invoice_store: InvoiceStore
    billable_usage: BillableUsage
    price_store: PriceStore
    budget_store: BudgetStore
    leases: Leases
    usage_log: UsageLog
    usage_reader: UsageReader
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
        catalogue_store=MemoryCatalogueStore(),
        invoice_store=MemoryInvoiceStore(),
        billable_usage=MemoryBillableUsage(),
        price_store=MemoryPriceStore(),
        budget_store=MemoryBudgetStore(),
        leases=MemoryLeases(database),
        usage_log=MemoryUsageLog(database),
        usage_reader=MemoryUsageReader(),
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
        catalogue_store=PostgresCatalogueStore(),
        invoice_store=PostgresInvoiceStore(),
        billable_usage=PostgresBillableUsage(),
        price_store=PostgresPriceStore(),
        budget_store=PostgresBudgetStore(),
        leases=PostgresLeases(database.pool),
        usage_log=PostgresUsageLog(database.pool),
        usage_reader=PostgresUsageReader(),
        job_store=PostgresJobStore(),
        job_queue=PgQueuerJobQueue(),
    )


@pytest.fixture
def memory() -> Backend:
    """A backend for tests of models and services: nothing to start, nothing to wait for."""
    return memory_backend()


@pytest.fixture
async def postgres(database: Database) -> AsyncIterator[Backend]:
    """A backend on the shared database, for tests that are about PostgreSQL."""
    backend = postgres_backend(database)
    yield backend
    await backend.usage_log.close()


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.postgres)])
def backend(request: pytest.FixtureRequest) -> Backend:
    """Each backend in turn; whatever a test shows of one, it shows of all."""
    chosen: Backend = request.getfixturevalue(request.param)
    return chosen
