"""The protocol of OpenAI's chat completions, which Ollama, vLLM and most others speak as well."""

from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from omni_core.adapters.llm.http import AnswerReader, HttpChatModel
from omni_core.adapters.llm.openai_answers import OpenAIReader, decode
from omni_core.adapters.llm.openai_choices import ChoicesReader
from omni_core.adapters.llm.openai_wire import LimitField, encode
from omni_core.adapters.llm.transport import endpoint
from omni_core.domain.llm.errors import ProviderNotReady
from omni_core.domain.llm.model import ChatRequest, ChatResponse
from omni_core.domain.llm.ports import Capabilities, ProviderConfig

OPENAI_URL = "https://api.openai.com/v1"
OLLAMA_URL = "http://127.0.0.1:11434/v1"

OPENAI_FIELDS = ("n", "logprobs", "top_logprobs", "logit_bias", "verbosity", "store")
OLLAMA_FIELDS = ("logprobs", "top_logprobs")
"""The others it would ignore in silence (Ollama, "OpenAI compatibility")."""

_NEW_LIMIT_HOSTS = (".openai.com", ".azure.com")


class OpenAIDialect:
    """POST {base_url}/chat/completions."""

    path = "/chat/completions"

    def __init__(self, limit_field: LimitField, fields: Iterable[str] = OPENAI_FIELDS) -> None:
        """Take `fields` of those that not every provider takes."""
        self._limit_field = limit_field
        self.capabilities = Capabilities(tools=True, images=True, json_schema=True, fields=frozenset(fields))

    def headers(self, api_key: str | None) -> Mapping[str, str]:
        return {} if api_key is None else {"Authorization": f"Bearer {api_key}"}

    def encode(self, request: ChatRequest, *, stream: bool) -> bytes:
        extra = self.capabilities.extra_of(request)
        return encode(request, extra, stream=stream, limit_field=self._limit_field)

    def decode(self, body: bytes, request: ChatRequest) -> ChatResponse:
        return decode(body, request)

    def reader(self, request: ChatRequest) -> AnswerReader:
        is_plain = request.choices == 1 and not request.logprobs
        return OpenAIReader(request) if is_plain else ChoicesReader(request)


def openai_chat_model(config: ProviderConfig) -> HttpChatModel:
    """Return a client of OpenAI, or of any endpoint that speaks its protocol; only OpenAI itself needs a key."""
    if config.base_url is None and not config.api_key:
        raise ProviderNotReady(f"Provider {config.name!r} needs an API key of OpenAI", provider=config.name)
    base_url = endpoint(OPENAI_URL if config.base_url is None else config.base_url, "")
    dialect = OpenAIDialect(limit_field(base_url), (*OPENAI_FIELDS, *config.passes))
    return HttpChatModel(config, dialect, base_url=base_url)


def ollama_chat_model(config: ProviderConfig) -> HttpChatModel:
    """Return a client of an Ollama server, on this machine unless a base URL says otherwise."""
    base_url = OLLAMA_URL if config.base_url is None else config.base_url
    dialect = OpenAIDialect("max_tokens", (*OLLAMA_FIELDS, *config.passes))
    return HttpChatModel(config, dialect, base_url=base_url)


def limit_field(base_url: str) -> LimitField:
    """Return what the endpoint calls the output limit.

    OpenAI's reasoning models refuse `max_tokens`. Others know only that: Mistral refuses `max_completion_tokens`, and
    Ollama ignores it, so that nothing would be limited (ollama/ollama#7125).
    """
    host = urlsplit(base_url).hostname or ""
    return "max_completion_tokens" if f".{host}".endswith(_NEW_LIMIT_HOSTS) else "max_tokens"
