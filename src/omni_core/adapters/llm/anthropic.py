"""The protocol of Anthropic's Messages API."""

from collections.abc import Mapping

from omni_core.adapters.llm.anthropic_answers import AnthropicReader, decode
from omni_core.adapters.llm.anthropic_wire import encode
from omni_core.adapters.llm.http import AnswerReader, HttpChatModel
from omni_core.domain.llm.errors import ProviderNotReady
from omni_core.domain.llm.model import ChatRequest, ChatResponse
from omni_core.domain.llm.ports import Capabilities, ProviderConfig

ANTHROPIC_URL = "https://api.anthropic.com"
ANTHROPIC_VERSION = "2023-06-01"


class AnthropicDialect:
    """POST {base_url}/v1/messages."""

    path = "/v1/messages"
    # json_schema: `output_config.format` (Anthropic, "Structured outputs"); models without it refuse the request.
    capabilities = Capabilities(tools=True, images=True, json_schema=True)

    def headers(self, api_key: str | None) -> Mapping[str, str]:
        version = {"anthropic-version": ANTHROPIC_VERSION}
        return version if api_key is None else {**version, "x-api-key": api_key}

    def encode(self, request: ChatRequest, *, stream: bool) -> bytes:
        return encode(request, stream=stream)

    def decode(self, body: bytes, request: ChatRequest) -> ChatResponse:
        return decode(body, request)

    def reader(self, request: ChatRequest) -> AnswerReader:
        return AnthropicReader(request)


def anthropic_chat_model(config: ProviderConfig) -> HttpChatModel:
    """Return a client of Anthropic, or of an endpoint that speaks its protocol; only Anthropic itself needs a key."""
    if config.base_url is None and not config.api_key:
        raise ProviderNotReady(f"Provider {config.name!r} needs an API key of Anthropic", provider=config.name)
    base_url = ANTHROPIC_URL if config.base_url is None else config.base_url
    return HttpChatModel(config, AnthropicDialect(), base_url=base_url)
