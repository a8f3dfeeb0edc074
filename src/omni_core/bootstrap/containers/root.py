"""Joins the contexts."""

from typing import Any

from dependency_injector import containers, providers

from omni_core.bootstrap.containers.budgets import BudgetsContainer
from omni_core.bootstrap.containers.llm import LlmContainer
from omni_core.bootstrap.containers.metering import MeteringContainer
from omni_core.bootstrap.containers.platform import PlatformContainer
from omni_core.bootstrap.containers.pricing import PricingContainer
from omni_core.bootstrap.containers.tenancy import TenancyContainer


class RootContainer(containers.DeclarativeContainer):
    """All of Omni. `factories` and `configured` are the kinds of provider and the providers of the settings."""

    platform = providers.Container(PlatformContainer)
    factories: providers.Dependency[Any] = providers.Dependency()
    configured: providers.Dependency[Any] = providers.Dependency()

    tenancy = providers.Container(TenancyContainer, platform=platform)
    pricing = providers.Container(PricingContainer, platform=platform)
    budgets = providers.Container(BudgetsContainer, platform=platform)
    metering = providers.Container(MeteringContainer, platform=platform)
    llm = providers.Container(
        LlmContainer,
        platform=platform,
        pricing=pricing,
        budgets=budgets,
        metering=metering,
        factories=factories,
        configured=configured,
    )
