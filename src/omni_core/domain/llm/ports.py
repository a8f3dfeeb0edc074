"""What the gateway needs from outside: models to call, a catalogue to find them in, a seal for their keys."""

from collections.abc import AsyncGenerator, Mapping
from typing import Protocol

import msgspec

from omni_core.domain.llm.model import ChatDelta, ChatRequest, ChatResponse


class Capabilities(msgspec.Struct, frozen=True):
    """What a model adapter can carry; a request for more is refused before anything is sent."""

    tools: bool = False
    images: bool = False
    json_schema: bool = False
    sampling: bool = True
    """Temperature, top_p, penalties and seed have an effect."""


class ChatModel(Protocol):
    """A model behind some provider. `request.model` is the provider's own name of it.

    Both calls raise the errors of `llm.errors` whose name begins with `Provider`, and nothing else on purpose.
    Decorators (metering, tracing, retry) are ChatModels that wrap one.
    """

    @property
    def capabilities(self) -> Capabilities:
        """What this adapter can carry."""
        ...

    async def complete(self, request: ChatRequest) -> ChatResponse:
        """Return the whole answer."""
        ...

    def stream(self, request: ChatRequest) -> AsyncGenerator[ChatDelta, None]:
        """Yield the answer piece by piece. Closing the generator ends the call at the provider."""
        ...


class ProviderConfig(msgspec.Struct, frozen=True):
    """How to reach a provider. `api_key` is in the clear, so this never leaves the process nor enters a log."""

    name: str
    kind: str
    base_url: str | None = None
    api_key: str | None = None
    connect_timeout_s: float = 10.0
    read_timeout_s: float = 120.0
    """The longest silence: of a whole answer before its first byte, of a stream between two pieces."""
    max_connections: int = 256

    def __repr__(self) -> str:
        return f"ProviderConfig(name={self.name!r}, kind={self.kind!r}, base_url={self.base_url!r})"


class ChatModelFactory(Protocol):
    """Makes the ChatModel of a provider; one is registered for each kind of provider."""

    def __call__(self, config: ProviderConfig) -> "OpenChatModel":
        """Return a model client that is ready to be called; raise `ProviderNotReady` where something is missing."""
        ...


class OpenChatModel(ChatModel, Protocol):
    """A ChatModel that holds connections."""

    async def aclose(self) -> None:
        """Give back connections. Calls that are under way may fail."""
        ...


Factories = Mapping[str, ChatModelFactory]
