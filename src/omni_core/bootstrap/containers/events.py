"""The wiring of events."""

from typing import Any

from dependency_injector import containers, providers

from omni_core.adapters.memory.events import memory_event_storage
from omni_core.adapters.postgres.events import postgres_event_storage
from omni_core.domain.events.api import Events, SubscriptionRunner


class EventsContainer(containers.DeclarativeContainer):
    """The log, and who reacts to it; the worker hands `runner` how often it tries.

    `everybodys` are the subscriptions of all contexts, known once all are wired; `added` are the program's own.
    """

    platform = providers.DependenciesContainer()
    everybodys: providers.Dependency[Any] = providers.Dependency(default=())
    added: providers.Dependency[Any] = providers.Dependency(default=())

    storage = providers.Selector(
        platform.storage,
        memory=providers.Singleton(memory_event_storage, platform.memory, platform.uow),
        postgres=providers.Singleton(postgres_event_storage, platform.uow, platform.pool, platform.clock, platform.ids),
    )
    reactions = providers.Callable(lambda *groups: tuple(one for group in groups for one in group), everybodys, added)
    face = providers.Singleton(Events, storage, reactions)
    runner = providers.Factory(SubscriptionRunner, storage, reactions)
