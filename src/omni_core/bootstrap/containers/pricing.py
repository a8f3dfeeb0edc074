"""The wiring of pricing."""

from dependency_injector import containers, providers

from omni_core.adapters.memory.pricing import MemoryPriceStore
from omni_core.adapters.postgres.pricing import PostgresPriceStore
from omni_core.domain.pricing.api import PriceBook, Pricing


class PricingContainer(containers.DeclarativeContainer):
    """The price table."""

    platform = providers.DependenciesContainer()

    store = providers.Selector(
        platform.storage, memory=providers.Singleton(MemoryPriceStore), postgres=providers.Singleton(PostgresPriceStore)
    )
    book = providers.Singleton(PriceBook, platform.chat_uow, store, platform.clock)
    face = providers.Singleton(
        Pricing, platform.uow, store, book, platform.clock, platform.ids, platform.settings.provided.currency
    )
