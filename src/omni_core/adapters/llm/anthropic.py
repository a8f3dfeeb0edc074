"""The protocol of Anthropic's Messages API."""

from collections.abc import Iterable, Mapping

from omni_core.adapters.llm.anthropic_answers import AnthropicReader, decode
from omni_core.adapters.llm.anthropic_wire import encode
from omni_core.adapters.llm.http import AnswerReader, HttpChatModel
from omni_core.domain.llm.errors import ProviderNotReady
from omni_core.domain.llm.extra import SPECIAL_FIELDS
from omni_core.domain.llm.model import ChatRequest, ChatResponse
from omni_core.domain.llm.ports import Capabilities, ProviderConfig

ANTHROPIC_URL = "https://api.anthropic.com"
ANTHROPIC_VERSION = "2023-06-01"
ANTHROPIC_FIELDS = ("metadata", "thinking", "top_k")


class AnthropicDialect:
    """POST {base_url}/v1/messages."""

    path = "/v1/messages"

    def __init__(self, fields: Iterable[str] = ANTHROPIC_FIELDS) -> None:
        """Take `fields` beyond the message model."""
        # json_schema: `output_config.format` (Anthropic, "Structured outputs"); models without it refuse the request.
        self.capabilities = Capabilities(tools=True, images=True, json_schema=True, fields=frozenset(fields))

    def headers(self, api_key: str | None) -> Mapping[str, str]:
        version = {"anthropic-version": ANTHROPIC_VERSION}
        return version if api_key is None else {**version, "x-api-key": api_key}

    def encode(self, request: ChatRequest, *, stream: bool) -> bytes:
        return encode(request, self.capabilities.extra_of(request), stream=stream)

    def decode(self, body: bytes, request: ChatRequest) -> ChatResponse:
        return decode(body, request)

    def reader(self, request: ChatRequest) -> AnswerReader:
        return AnthropicReader(request)


def anthropic_chat_model(config: ProviderConfig) -> HttpChatModel:
    """Return a client of Anthropic, or of an endpoint that speaks its protocol; only Anthropic itself needs a key."""
    if config.base_url is None and not config.api_key:
        raise ProviderNotReady(f"Provider {config.name!r} needs an API key of Anthropic", provider=config.name)
    base_url = ANTHROPIC_URL if config.base_url is None else config.base_url
    return HttpChatModel(config, AnthropicDialect((*ANTHROPIC_FIELDS, *_own(config.passes))), base_url=base_url)


def _own(passes: Iterable[str]) -> Iterable[str]:
    # OpenAI's, which the message model has words for, cannot be said in this protocol.
    return (name for name in passes if name not in SPECIAL_FIELDS)
