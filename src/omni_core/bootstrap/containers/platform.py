"""What every context is wired to: the storage in use, time, ids, entropy, secrets, settings."""

from typing import Any

from dependency_injector import containers, providers

from omni_core.adapters.crypto import AesGcmSeal, HmacDigest
from omni_core.adapters.memory.events import MemoryEventLog
from omni_core.adapters.postgres.events import PostgresEventLog
from omni_core.adapters.postgres.uow import PostgresUnitOfWork


class PlatformContainer(containers.DeclarativeContainer):
    """`storage` is `memory` or `postgres`; what is open already is handed in."""

    storage = providers.Dependency(instance_of=str)
    settings: providers.Dependency[Any] = providers.Dependency()
    clock: providers.Dependency[Any] = providers.Dependency()
    ids: providers.Dependency[Any] = providers.Dependency()
    entropy: providers.Dependency[Any] = providers.Dependency()
    master_key: providers.Dependency[Any] = providers.Dependency()
    memory: providers.Dependency[Any] = providers.Dependency(default=None)
    engine: providers.Dependency[Any] = providers.Dependency(default=None)
    pool: providers.Dependency[Any] = providers.Dependency(default=None)

    digest = providers.Singleton(HmacDigest, master_key)
    seal = providers.Singleton(AesGcmSeal, master_key)
    uow = providers.Selector(
        storage,
        memory=providers.Callable(lambda memory: memory.begin, memory),
        postgres=providers.Singleton(PostgresUnitOfWork, engine, clock, ids),
    )
    event_log = providers.Selector(
        storage, memory=providers.Singleton(MemoryEventLog), postgres=providers.Singleton(PostgresEventLog)
    )
