"""What every context is wired to: the storage in use, time, ids, entropy, secrets, settings."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any, ClassVar

from dependency_injector import containers, providers

from omni_core.adapters.crypto import AesGcmSeal, HmacDigest
from omni_core.adapters.memory.database import MemoryDatabase
from omni_core.adapters.postgres.engine import Database, open_database
from omni_core.adapters.postgres.uow import PostgresUnitOfWork
from omni_core.adapters.system import SystemClock, SystemEntropy, SystemIds
from omni_core.bootstrap.premises import Premises


@asynccontextmanager
async def _database(premises: Premises) -> AsyncGenerator[Database | None, None]:
    if premises.urls is None:
        yield None
        return
    async with open_database(
        premises.urls.program, pool_size=premises.settings.database_pool, setting=premises.urls.program_setting
    ) as database:
        yield database


@asynccontextmanager
async def _premises(premises: Premises) -> AsyncGenerator[Premises, None]:
    yield premises


class PlatformContainer(containers.DeclarativeContainer):
    """On what everything stands. Without a `database` everything stays in memory."""

    opens: ClassVar[Mapping[str, Any]] = {"premises": _premises, "database": _database}
    premises: providers.Dependency[Premises] = providers.Dependency(instance_of=Premises)
    database: providers.Dependency[Any] = providers.Dependency()

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
    uow = providers.Selector(
        storage,
        memory=memory.provided.begin,
        postgres=providers.Singleton(PostgresUnitOfWork, engine, clock, ids),
    )
