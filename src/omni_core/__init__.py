"""Omni as a library.

    async with Omni.open(memory=True) as omni:
        demo = await omni.tenants.create(OPERATOR, CreateTenant("demo", "Demo"))
        answer = await omni.chat.complete(omni.operator(demo.id), ChatRequest("omni-brain", messages))

`from omni_core import billing` gives what billing offers to programs: its services, commands and read models. Of the
first contexts, what programs use most is here by its own name too.

Names are loaded when they are first used, so that `import omni_core.domain` stays free of everything but msgspec.
"""

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from omni_core.version import __version__

if TYPE_CHECKING:
    from omni_core.bootstrap.omni import Omni
    from omni_core.bootstrap.settings import Settings
    from omni_core.domain.billing import api as billing
    from omni_core.domain.billing.api import Invoice, InvoiceLine, InvoiceStatus, InvoiceSummary
    from omni_core.domain.budgets import api as budgets
    from omni_core.domain.budgets.api import BudgetExhausted, BudgetStatus, SetBudget, Window
    from omni_core.domain.events import api as events
    from omni_core.domain.feedback import api as feedback
    from omni_core.domain.jobs import api as jobs
    from omni_core.domain.jobs.api import Job, JobStatus
    from omni_core.domain.kernel.clock import Month
    from omni_core.domain.kernel.cost import Cost
    from omni_core.domain.kernel.errors import Kind, OmniError
    from omni_core.domain.kernel.money import Money, format_picos
    from omni_core.domain.kernel.pages import Page, PageRequest
    from omni_core.domain.kernel.tenancy import OPERATOR, Principal, Scope, TenantId
    from omni_core.domain.llm import api as llm
    from omni_core.domain.llm.api import (
        AddModel,
        AddProvider,
        Capabilities,
        ChatAnswer,
        ChatChoice,
        ChatDelta,
        ChatModel,
        ChatRequest,
        ChatResponse,
        ChatStream,
        FinishReason,
        Image,
        InvalidRequest,
        Logprobs,
        Message,
        Model,
        ProviderBusy,
        ProviderConfig,
        ProviderGarbage,
        ProviderNotReady,
        ProviderQuotaExhausted,
        ProviderRateLimited,
        ProviderRefusedKey,
        ProviderRejected,
        ProviderTimeout,
        ProviderUnavailable,
        ProviderView,
        ResponseFormat,
        Role,
        Text,
        TokenUsage,
        Tool,
        ToolCall,
        ToolCallDelta,
        ToolChoice,
        UnknownModel,
        UnsupportedFeature,
    )
    from omni_core.domain.metering import api as metering
    from omni_core.domain.metering.api import (
        CallStatus,
        EstimateReason,
        Meter,
        Quantities,
        UsageEvent,
        UsageQuery,
        UsageSum,
    )
    from omni_core.domain.pricing import api as pricing
    from omni_core.domain.pricing.api import Price, SetPrice, TierPrices
    from omni_core.domain.tenancy import api as tenancy
    from omni_core.domain.tenancy.api import ApiKey, CreateKey, CreateTenant, Member, MemberRole, NewKey, Tenant

_HOMES = {
    "omni_core.bootstrap.omni": ("Omni",),
    "omni_core.bootstrap.settings": ("Settings",),
    "omni_core.domain.billing.api": ("Invoice", "InvoiceLine", "InvoiceStatus", "InvoiceSummary"),
    "omni_core.domain.budgets.api": ("BudgetExhausted", "BudgetStatus", "SetBudget", "Window"),
    "omni_core.domain.jobs.api": ("Job", "JobStatus"),
    "omni_core.domain.kernel.clock": ("Month",),
    "omni_core.domain.kernel.cost": ("Cost",),
    "omni_core.domain.kernel.errors": ("Kind", "OmniError"),
    "omni_core.domain.kernel.money": ("Money", "format_picos"),
    "omni_core.domain.kernel.pages": ("Page", "PageRequest"),
    "omni_core.domain.kernel.tenancy": ("OPERATOR", "Principal", "Scope", "TenantId"),
    "omni_core.domain.llm.api": (
        "AddModel",
        "AddProvider",
        "Capabilities",
        "ChatAnswer",
        "ChatChoice",
        "ChatDelta",
        "ChatModel",
        "ChatRequest",
        "ChatResponse",
        "ChatStream",
        "FinishReason",
        "Image",
        "InvalidRequest",
        "Logprobs",
        "Message",
        "Model",
        "ProviderBusy",
        "ProviderConfig",
        "ProviderGarbage",
        "ProviderNotReady",
        "ProviderQuotaExhausted",
        "ProviderRateLimited",
        "ProviderRefusedKey",
        "ProviderRejected",
        "ProviderTimeout",
        "ProviderUnavailable",
        "ProviderView",
        "ResponseFormat",
        "Role",
        "Text",
        "TokenUsage",
        "Tool",
        "ToolCall",
        "ToolCallDelta",
        "ToolChoice",
        "UnknownModel",
        "UnsupportedFeature",
    ),
    "omni_core.domain.metering.api": (
        "CallStatus",
        "EstimateReason",
        "Meter",
        "Quantities",
        "UsageEvent",
        "UsageQuery",
        "UsageSum",
    ),
    "omni_core.domain.pricing.api": ("Price", "SetPrice", "TierPrices"),
    "omni_core.domain.tenancy.api": ("ApiKey", "CreateKey", "CreateTenant", "Member", "MemberRole", "NewKey", "Tenant"),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "OPERATOR",
    "AddModel",
    "AddProvider",
    "ApiKey",
    "BudgetExhausted",
    "BudgetStatus",
    "CallStatus",
    "Capabilities",
    "ChatAnswer",
    "ChatChoice",
    "ChatDelta",
    "ChatModel",
    "ChatRequest",
    "ChatResponse",
    "ChatStream",
    "Cost",
    "CreateKey",
    "CreateTenant",
    "EstimateReason",
    "FinishReason",
    "Image",
    "InvalidRequest",
    "Invoice",
    "InvoiceLine",
    "InvoiceStatus",
    "InvoiceSummary",
    "Job",
    "JobStatus",
    "Kind",
    "Logprobs",
    "Member",
    "MemberRole",
    "Message",
    "Meter",
    "Model",
    "Money",
    "Month",
    "NewKey",
    "Omni",
    "OmniError",
    "Page",
    "PageRequest",
    "Price",
    "Principal",
    "ProviderBusy",
    "ProviderConfig",
    "ProviderGarbage",
    "ProviderNotReady",
    "ProviderQuotaExhausted",
    "ProviderRateLimited",
    "ProviderRefusedKey",
    "ProviderRejected",
    "ProviderTimeout",
    "ProviderUnavailable",
    "ProviderView",
    "Quantities",
    "ResponseFormat",
    "Role",
    "Scope",
    "SetBudget",
    "SetPrice",
    "Settings",
    "Tenant",
    "TenantId",
    "Text",
    "TierPrices",
    "TokenUsage",
    "Tool",
    "ToolCall",
    "ToolCallDelta",
    "ToolChoice",
    "UnknownModel",
    "UnsupportedFeature",
    "UsageEvent",
    "UsageQuery",
    "UsageSum",
    "Window",
    "__version__",
    "billing",
    "budgets",
    "events",
    "feedback",
    "format_picos",
    "jobs",
    "llm",
    "metering",
    "pricing",
    "tenancy",
]

# A type checker must not see it: it would take every name for one that is here.
if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever the name stands for
        if name in _HOME_OF:
            return getattr(import_module(_HOME_OF[name]), name)
        if name in __all__ and find_spec(f"omni_core.domain.{name}") is not None:
            # A small context is one module, and its own api.
            context = import_module(f"omni_core.domain.{name}")
            return import_module(f"{context.__name__}.api") if hasattr(context, "__path__") else context
        raise AttributeError(f"module 'omni_core' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
