"""The face of llm: what shells and other contexts may use of it."""

from dataclasses import dataclass

from omni_core.domain.llm.accounts import Accounts
from omni_core.domain.llm.catalogue import AddModel, AddProvider, Model, ProviderView
from omni_core.domain.llm.errors import (
    AnswerNotKept,
    CallUnderWay,
    IdempotencyKeyReused,
    InvalidIdempotencyKey,
    InvalidRequest,
    ProviderBusy,
    ProviderGarbage,
    ProviderNotReady,
    ProviderQuotaExhausted,
    ProviderRateLimited,
    ProviderRefusedKey,
    ProviderRejected,
    ProviderTimeout,
    ProviderUnavailable,
    UnknownModel,
    UnsupportedFeature,
)
from omni_core.domain.llm.gateway import ChatAnswer, ChatStream, Gateway
from omni_core.domain.llm.keyed import KEY_NAME
from omni_core.domain.llm.limits import ChangeLimits, Limits
from omni_core.domain.llm.model import (
    ChatChoice,
    ChatDelta,
    ChatRequest,
    ChatResponse,
    FinishReason,
    Image,
    Logprobs,
    Message,
    ResponseFormat,
    Role,
    Text,
    TokenAlternative,
    TokenLogprob,
    TokenUsage,
    Tool,
    ToolCall,
    ToolCallDelta,
    ToolChoice,
)
from omni_core.domain.llm.ports import Capabilities, ChatModel, ChatModelFactory, ConfiguredProvider, ProviderConfig
from omni_core.domain.llm.routes import Routes
from omni_core.domain.llm.service import Catalogue

__all__ = [
    "KEY_NAME",
    "Accounts",
    "AddModel",
    "AddProvider",
    "AnswerNotKept",
    "CallUnderWay",
    "Capabilities",
    "Catalogue",
    "ChangeLimits",
    "ChatAnswer",
    "ChatChoice",
    "ChatDelta",
    "ChatModel",
    "ChatModelFactory",
    "ChatRequest",
    "ChatResponse",
    "ChatStream",
    "ConfiguredProvider",
    "FinishReason",
    "Gateway",
    "IdempotencyKeyReused",
    "Image",
    "InvalidIdempotencyKey",
    "InvalidRequest",
    "Limits",
    "Llm",
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
    "Routes",
    "Text",
    "TokenAlternative",
    "TokenLogprob",
    "TokenUsage",
    "Tool",
    "ToolCall",
    "ToolCallDelta",
    "ToolChoice",
    "UnknownModel",
    "UnsupportedFeature",
]


@dataclass(frozen=True, slots=True)
class Llm:
    """The services of llm: which models there are, and the gateway by which they are called."""

    catalogue: Catalogue
    chat: Gateway
