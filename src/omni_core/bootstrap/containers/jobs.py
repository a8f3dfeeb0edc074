"""The wiring of jobs."""

from dependency_injector import containers, providers

from omni_core.adapters.memory.jobs import MemoryJobQueue, MemoryJobStore
from omni_core.adapters.postgres.job_queue import PgQueuerJobQueue
from omni_core.adapters.postgres.jobs import PostgresJobStore
from omni_core.domain.jobs.api import JobRunner, Jobs, cancel_for_revoked_key


class JobsContainer(containers.DeclarativeContainer):
    """Jobs; the worker hands `runner` its handlers."""

    platform = providers.DependenciesContainer()

    store = providers.Selector(
        platform.storage, memory=providers.Singleton(MemoryJobStore), postgres=providers.Singleton(PostgresJobStore)
    )
    queue = providers.Selector(
        platform.storage,
        memory=providers.Singleton(MemoryJobQueue, platform.memory),
        postgres=providers.Singleton(PgQueuerJobQueue),
    )
    face = providers.Singleton(Jobs, platform.uow, store, queue, platform.clock, platform.ids)
    subscriptions = providers.List(providers.Singleton(cancel_for_revoked_key, store, platform.clock))
    runner = providers.Factory(JobRunner, platform.uow, store, queue, platform.clock)
