"""Joins the contexts."""

from collections.abc import Mapping
from typing import Any

import msgspec
from dependency_injector import containers, providers

from omni_core.adapters.crypto import MasterKey
from omni_core.adapters.memory.database import MemoryDatabase
from omni_core.adapters.postgres.engine import Database
from omni_core.adapters.system import SystemClock, SystemEntropy, SystemIds
from omni_core.bootstrap.containers.billing import BillingContainer
from omni_core.bootstrap.containers.budgets import BudgetsContainer
from omni_core.bootstrap.containers.jobs import JobsContainer
from omni_core.bootstrap.containers.llm import LlmContainer
from omni_core.bootstrap.containers.metering import MeteringContainer
from omni_core.bootstrap.containers.platform import PlatformContainer
from omni_core.bootstrap.containers.pricing import PricingContainer
from omni_core.bootstrap.containers.tenancy import TenancyContainer
from omni_core.bootstrap.settings import Settings
from omni_core.domain.llm.api import ChatModelFactory, ProviderConfig
from omni_core.domain.llm.catalogue import BUILT_IN_KIND, BUILT_IN_PROVIDER


class Opened(msgspec.Struct, frozen=True):
    """What has to be open before anything can be wired. Without a `database` everything stays in memory."""

    settings: Settings
    master_key: MasterKey
    factories: Mapping[str, ChatModelFactory]
    database: Database | None = None


class RootContainer(containers.DeclarativeContainer):
    """All of Omni. `factories` and `configured` are the kinds of provider and the providers of the settings."""

    platform = providers.Container(PlatformContainer)
    factories: providers.Dependency[Any] = providers.Dependency()
    configured: providers.Dependency[Any] = providers.Dependency()

    tenancy = providers.Container(TenancyContainer, platform=platform)
    pricing = providers.Container(PricingContainer, platform=platform)
    budgets = providers.Container(BudgetsContainer, platform=platform, tenancy=tenancy)
    metering = providers.Container(MeteringContainer, platform=platform)
    billing = providers.Container(BillingContainer, platform=platform, pricing=pricing)
    jobs = providers.Container(JobsContainer, platform=platform)
    llm = providers.Container(
        LlmContainer,
        platform=platform,
        pricing=pricing,
        budgets=budgets,
        metering=metering,
        factories=factories,
        configured=configured,
    )


def wire(opened: Opened) -> RootContainer:
    """Return the container of everything; raise where something that it needs was not handed in."""
    clock, ids = SystemClock(), SystemIds()
    built_in = ProviderConfig(name=BUILT_IN_PROVIDER, kind=BUILT_IN_KIND)
    handed_in = {
        "storage": "memory" if opened.database is None else "postgres",
        "settings": opened.settings,
        "clock": clock,
        "ids": ids,
        "entropy": SystemEntropy(),
        "master_key": opened.master_key,
        "memory": MemoryDatabase(clock, ids),
        "engine": opened.database and opened.database.engine,
        "pool": opened.database and opened.database.pool,
    }
    container = RootContainer(
        factories=providers.Object(opened.factories),
        configured=providers.Object((built_in, *opened.settings.providers)),
    )
    container.platform.override_providers(**{name: providers.Object(value) for name, value in handed_in.items()})
    container.check_dependencies()
    return container
