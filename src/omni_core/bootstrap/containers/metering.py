"""The wiring of metering."""

from dependency_injector import containers, providers

from omni_core.adapters.memory.metering import MemoryUsageLog, MemoryUsageReader
from omni_core.adapters.postgres.metering import PostgresUsageReader
from omni_core.adapters.postgres.usage_log import PostgresUsageLog
from omni_core.domain.metering.api import Metering


class MeteringContainer(containers.DeclarativeContainer):
    """The usage log, and who reads it."""

    platform = providers.DependenciesContainer()

    log = providers.Selector(
        platform.storage,
        memory=providers.Singleton(MemoryUsageLog, platform.memory),
        postgres=providers.Singleton(PostgresUsageLog, platform.pool),
    )
    reader = providers.Selector(
        platform.storage,
        memory=providers.Singleton(MemoryUsageReader),
        postgres=providers.Singleton(PostgresUsageReader),
    )
    face = providers.Singleton(Metering, platform.report_uow, reader, platform.settings.provided.currency)
    closes = providers.List(log.provided.close)
