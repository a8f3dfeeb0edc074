"""The wiring of feedback."""

from dependency_injector import containers, providers

from omni_core.adapters.memory.analytics import NeedsPostgres
from omni_core.adapters.memory.feedback import MemoryFeedbackStore
from omni_core.adapters.postgres.feedback import PostgresFeedbackStatistics, PostgresFeedbackStore
from omni_core.domain.feedback.api import Feedback


class FeedbackContainer(containers.DeclarativeContainer):
    """Items, votes, and sums over them."""

    platform = providers.DependenciesContainer()

    store = providers.Selector(
        platform.storage,
        memory=providers.Singleton(MemoryFeedbackStore),
        postgres=providers.Singleton(PostgresFeedbackStore),
    )
    statistics = providers.Selector(
        platform.storage,
        memory=providers.Singleton(NeedsPostgres, "statistics of feedback"),
        postgres=providers.Singleton(PostgresFeedbackStatistics),
    )
    face = providers.Singleton(Feedback, platform.uow, store, statistics, platform.clock, platform.ids)
