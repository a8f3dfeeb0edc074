"""The wiring of llm."""

from typing import Any

from dependency_injector import containers, providers

from omni_core.adapters.memory.keyed_calls import MemoryKeyedCallStore
from omni_core.adapters.memory.llm import MemoryCatalogueStore
from omni_core.adapters.postgres.keyed_calls import PostgresKeyedCallStore
from omni_core.adapters.postgres.llm import PostgresCatalogueStore
from omni_core.adapters.telemetry.usage import log_doubted_usage, log_unrecorded_usage
from omni_core.bootstrap.settings import Settings
from omni_core.domain.llm.api import Accounts, Catalogue, ConfiguredProvider, Gateway, Llm, Routes
from omni_core.domain.llm.catalogue import BUILT_IN_KIND, BUILT_IN_PROVIDER
from omni_core.domain.llm.once import KeepTerms, KeyedCalls


def _configured(settings: Settings) -> tuple[ConfiguredProvider, ...]:
    return (ConfiguredProvider(name=BUILT_IN_PROVIDER, kind=BUILT_IN_KIND), *settings.llm.providers)


def _terms(settings: Settings) -> KeepTerms:
    return KeepTerms(settings.llm.answers_kept_s, settings.llm.answer_bytes, settings.llm.answer_wait_s)


class LlmContainer(containers.DeclarativeContainer):
    """The catalogue, and the gateway in front of it."""

    platform = providers.DependenciesContainer()
    pricing = providers.DependenciesContainer()
    budgets = providers.DependenciesContainer()
    metering = providers.DependenciesContainer()
    factories: providers.Dependency[Any] = providers.Dependency()

    configured = providers.Callable(_configured, platform.settings)
    store = providers.Selector(
        platform.storage,
        memory=providers.Singleton(MemoryCatalogueStore),
        postgres=providers.Singleton(PostgresCatalogueStore),
    )
    routes = providers.Singleton(
        Routes,
        platform.chat_uow,
        store,
        platform.seal,
        factories,
        configured,
        platform.clock,
        platform.settings.provided.llm.limits,
    )
    catalogue = providers.Singleton(Catalogue, platform.uow, store, pricing.face, routes, platform.seal, platform.clock)
    unrecorded = providers.Object(log_unrecorded_usage)
    accounts = providers.Singleton(
        Accounts,
        pricing.book,
        budgets.desk,
        metering.log,
        unrecorded,
        platform.clock,
        platform.ids,
        providers.List(providers.Object(log_doubted_usage)),
    )
    keyed_store = providers.Selector(
        platform.storage,
        memory=providers.Singleton(MemoryKeyedCallStore, platform.memory),
        postgres=providers.Singleton(PostgresKeyedCallStore, platform.pool),
    )
    keep_terms = providers.Callable(_terms, platform.settings)
    keyed = providers.Singleton(
        KeyedCalls, platform.chat_uow, keyed_store, platform.seal, platform.clock, platform.ids, keep_terms
    )
    gateway = providers.Singleton(Gateway, routes, accounts, keyed, platform.clock, platform.ids)
    face = providers.Singleton(Llm, catalogue, gateway)
    maintains = providers.List(keyed.provided.maintain)
    # What is still to be recorded of calls comes before the providers' clients.
    closes = providers.List(keyed.provided.close, accounts.provided.late.close, routes.provided.close)
