"""Omni as a library.

    async with Omni.open(memory=True) as omni:
        demo = await omni.tenants.create(OPERATOR, CreateTenant("demo", "Demo"))
        answer = await omni.chat.complete(omni.operator(demo.id), ChatRequest("omni-brain", messages))

Names are loaded when they are first used, so that `import omni_core.domain` stays free of everything but msgspec.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from omni_core.version import __version__

if TYPE_CHECKING:
    from omni_core.bootstrap.omni import Omni
    from omni_core.bootstrap.settings import Settings
    from omni_core.domain.budgets.api import SetBudget, Window
    from omni_core.domain.kernel.clock import Month
    from omni_core.domain.kernel.errors import Kind, OmniError
    from omni_core.domain.kernel.money import Money
    from omni_core.domain.kernel.pages import Page, PageRequest
    from omni_core.domain.kernel.tenancy import OPERATOR, Principal, Scope, TenantId
    from omni_core.domain.llm.api import (
        AddModel,
        AddProvider,
        ChatModel,
        ChatRequest,
        ChatResponse,
        Message,
        ProviderConfig,
        Role,
    )
    from omni_core.domain.metering.api import UsageQuery
    from omni_core.domain.pricing.api import SetPrice
    from omni_core.domain.tenancy.api import CreateKey, CreateTenant

_HOMES = {
    "omni_core.bootstrap.omni": ("Omni",),
    "omni_core.bootstrap.settings": ("Settings",),
    "omni_core.domain.budgets.api": ("SetBudget", "Window"),
    "omni_core.domain.kernel.clock": ("Month",),
    "omni_core.domain.kernel.errors": ("Kind", "OmniError"),
    "omni_core.domain.kernel.money": ("Money",),
    "omni_core.domain.kernel.pages": ("Page", "PageRequest"),
    "omni_core.domain.kernel.tenancy": ("OPERATOR", "Principal", "Scope", "TenantId"),
    "omni_core.domain.llm.api": (
        "AddModel",
        "AddProvider",
        "ChatModel",
        "ChatRequest",
        "ChatResponse",
        "Message",
        "ProviderConfig",
        "Role",
    ),
    "omni_core.domain.metering.api": ("UsageQuery",),
    "omni_core.domain.pricing.api": ("SetPrice",),
    "omni_core.domain.tenancy.api": ("CreateKey", "CreateTenant"),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "OPERATOR",
    "AddModel",
    "AddProvider",
    "ChatModel",
    "ChatRequest",
    "ChatResponse",
    "CreateKey",
    "CreateTenant",
    "Kind",
    "Message",
    "Money",
    "Month",
    "Omni",
    "OmniError",
    "Page",
    "PageRequest",
    "Principal",
    "ProviderConfig",
    "Role",
    "Scope",
    "SetBudget",
    "SetPrice",
    "Settings",
    "TenantId",
    "UsageQuery",
    "Window",
    "__version__",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever the name stands for
    if name not in _HOME_OF:
        raise AttributeError(f"module 'omni_core' has no attribute {name!r}")
    return getattr(import_module(_HOME_OF[name]), name)


def __dir__() -> list[str]:
    return __all__
