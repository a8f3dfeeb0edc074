"""What every context is wired to: the storage in use, time, ids, entropy, secrets, settings."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any, ClassVar

from dependency_injector import containers, providers

from omni_core.adapters.crypto import AesGcmSeal, HmacDigest
from omni_core.adapters.memory.database import MemoryDatabase
from omni_core.adapters.memory.tenancy import MemoryTenantStore
from omni_core.adapters.postgres.engine import Database, open_database, open_engine
from omni_core.adapters.postgres.reports import PostgresReports, Turns
from omni_core.adapters.postgres.tenancy import PostgresTenantStore
from omni_core.adapters.postgres.uow import PostgresUnitOfWork
from omni_core.adapters.postgres.writing import WriteProbe
from omni_core.adapters.system import SystemClock, SystemEntropy, SystemIds
from omni_core.bootstrap.premises import Premises
from omni_core.domain.tenancy.existing import ExistingTenants


@asynccontextmanager
async def _database(premises: Premises) -> AsyncGenerator[Database | None, None]:
    if premises.urls is None:
        yield None
        return
    async with open_database(
        premises.urls.program,
        pool_size=premises.settings.database_pool,
        chat_pool=premises.settings.chat_pool,
        setting=premises.urls.program_setting,
    ) as database:
        yield database


@asynccontextmanager
async def _chat_engine(premises: Premises) -> AsyncGenerator[Any, None]:
    if premises.urls is None:
        yield None
        return
    async with open_engine(premises.urls.program, pool_size=premises.settings.chat_pool) as engine:
        yield engine


@asynccontextmanager
async def _report_engine(premises: Premises) -> AsyncGenerator[Any, None]:
    if premises.urls is None:
        yield None
        return
    settings = premises.settings
    async with open_engine(
        premises.urls.program,
        pool_size=settings.report_pool,
        statement_within_s=settings.report_within_s,
        reads_only=True,
    ) as engine:
        yield engine


@asynccontextmanager
async def _premises(premises: Premises) -> AsyncGenerator[Premises, None]:
    yield premises


def _for_existing(storage: Any, memory: Any, tenants: Any, postgres: Any) -> Any:  # noqa: ANN401 - providers
    """Return the provider of a unit of work that commits for tenants that exist."""
    uow = providers.Selector(storage, memory=memory.provided.begin, postgres=postgres)
    return providers.Singleton(ExistingTenants, uow, tenants)


class PlatformContainer(containers.DeclarativeContainer):
    """On what everything stands. Without a `database` everything stays in memory."""

    opens: ClassVar[Mapping[str, Any]] = {
        "premises": _premises,
        "database": _database,
        "chat_engine": _chat_engine,
        "report_engine": _report_engine,
    }
    premises: providers.Dependency[Premises] = providers.Dependency(instance_of=Premises)
    database: providers.Dependency[Any] = providers.Dependency()
    chat_engine: providers.Dependency[Any] = providers.Dependency()
    report_engine: providers.Dependency[Any] = providers.Dependency()

    storage = premises.provided.storage
    settings = premises.provided.settings
    master_key = premises.provided.master_key
    clock = providers.Singleton(SystemClock)
    ids = providers.Singleton(SystemIds)
    entropy = providers.Singleton(SystemEntropy)
    digest = providers.Singleton(HmacDigest, master_key)
    seal = providers.Singleton(AesGcmSeal, master_key)
    memory = providers.Singleton(MemoryDatabase, clock, ids)
    engine = database.provided.engine
    pool = database.provided.pool
    write_probe = providers.Selector(
        storage, memory=providers.Object(None), postgres=providers.Singleton(WriteProbe, pool, clock)
    )
    tenants = providers.Selector(
        storage,
        memory=providers.Singleton(MemoryTenantStore, memory),
        postgres=providers.Singleton(PostgresTenantStore),
    )
    uow = _for_existing(storage, memory, tenants, providers.Singleton(PostgresUnitOfWork, engine, clock, ids))
    # What every call looks up: whatever else goes on, there is a connection for it.
    chat_uow = _for_existing(storage, memory, tenants, providers.Singleton(PostgresUnitOfWork, chat_engine, clock, ids))
    # What reads much, and may wait.
    report_uow = _for_existing(
        storage,
        memory,
        tenants,
        providers.Singleton(
            PostgresReports,
            providers.Singleton(PostgresUnitOfWork, report_engine, clock, ids),
            providers.Singleton(
                Turns,
                places=settings.provided.report_pool,
                share=settings.provided.report_share,
                wait_s=settings.provided.report_wait_s,
            ),
        ),
    )
