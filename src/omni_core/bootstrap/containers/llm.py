"""The wiring of llm."""

from typing import Any

from dependency_injector import containers, providers

from omni_core.adapters.memory.llm import MemoryCatalogueStore
from omni_core.adapters.postgres.llm import PostgresCatalogueStore
from omni_core.adapters.telemetry.usage import log_unrecorded_usage
from omni_core.domain.llm.api import Accounts, Catalogue, Gateway, Routes


class LlmContainer(containers.DeclarativeContainer):
    """The catalogue, and the gateway in front of it."""

    platform = providers.DependenciesContainer()
    pricing = providers.DependenciesContainer()
    budgets = providers.DependenciesContainer()
    metering = providers.DependenciesContainer()
    factories: providers.Dependency[Any] = providers.Dependency()
    configured: providers.Dependency[Any] = providers.Dependency()

    store = providers.Selector(
        platform.storage,
        memory=providers.Singleton(MemoryCatalogueStore),
        postgres=providers.Singleton(PostgresCatalogueStore),
    )
    routes = providers.Singleton(Routes, platform.uow, store, platform.seal, factories, configured, platform.clock)
    catalogue = providers.Singleton(
        Catalogue, platform.uow, store, pricing.pricing, routes, platform.seal, platform.clock
    )
    unrecorded = providers.Object(log_unrecorded_usage)
    accounts = providers.Singleton(
        Accounts, pricing.book, budgets.desk, metering.log, unrecorded, platform.clock, platform.ids
    )
    gateway = providers.Singleton(Gateway, routes, accounts, platform.clock, platform.ids)
