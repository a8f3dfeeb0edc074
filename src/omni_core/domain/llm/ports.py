"""What the gateway needs from outside: models to call, a catalogue to find them in, a seal for their keys."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any, Protocol
from uuid import UUID

import msgspec

from omni_core.domain.kernel.tenancy import TenantId
from omni_core.domain.kernel.uow import Transaction
from omni_core.domain.llm.belief import Doubt
from omni_core.domain.llm.catalogue import Model, Provider
from omni_core.domain.llm.errors import UnsupportedFeature
from omni_core.domain.llm.extra import NO_EFFECT
from omni_core.domain.llm.keyed import Attempt, KeyedCall
from omni_core.domain.llm.limits import BUILT_IN_LIMITS, Limits, OwnLimits
from omni_core.domain.llm.model import ChatDelta, ChatRequest, ChatResponse
from omni_core.domain.metering.api import UsageEvent


class Capabilities(msgspec.Struct, frozen=True):
    """What a model adapter can carry; a request for more is refused before anything is sent."""

    tools: bool = False
    images: bool = False
    json_schema: bool = False
    sampling: bool = True
    """Temperature, top_p, penalties and seed have an effect."""
    fields: frozenset[str] = frozenset()
    """Which of `ChatRequest.special_fields` it passes on, by their names on the wire."""

    def extra_of(self, request: ChatRequest) -> dict[str, Any]:
        """Return the extra fields that are to be passed on; raise `UnsupportedFeature` for one that is not taken."""
        special = request.special_fields
        if not special:
            return {}
        for field in special:
            if field not in self.fields and field not in NO_EFFECT:
                raise UnsupportedFeature(
                    f"{request.model} does not take {field}", field=field, allowed=sorted(self.fields - NO_EFFECT)
                )
        return {name: value for name, value in request.extra.items() if name in self.fields}


class ChatModel(Protocol):
    """A model behind some provider. `request.model` is the provider's own name of it.

    Both calls raise the errors of `llm.errors` whose name begins with `Provider`, `UnsupportedFeature` for what the
    provider's protocol cannot say, and nothing else on purpose.
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


class ConfiguredProvider(OwnLimits, frozen=True):
    """How to reach a provider, as settings say it. `api_key` is in the clear: this never enters a log."""

    name: str
    kind: str
    base_url: str | None = None
    api_key: str | None = None
    passes: tuple[str, ...] = ()
    """Fields that it takes besides those of its kind, such as `top_k`: callers' values go there as they are."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}(name={self.name!r}, kind={self.kind!r}, base_url={self.base_url!r})"

    def config(self, defaults: Limits) -> "ProviderConfig":
        """Return it with every limit, those that it does not set being `defaults`."""
        limits = msgspec.structs.asdict(self.over(defaults))
        return ProviderConfig(self.name, self.kind, self.base_url, self.api_key, self.passes, **limits)


class ProviderConfig(ConfiguredProvider, frozen=True, kw_only=True):
    """How to reach a provider, with every limit: see `Limits`. It never leaves the process."""

    connect_timeout_s: float = BUILT_IN_LIMITS.connect_timeout_s
    first_byte_timeout_s: float = BUILT_IN_LIMITS.first_byte_timeout_s
    read_timeout_s: float = BUILT_IN_LIMITS.read_timeout_s
    total_timeout_s: float = BUILT_IN_LIMITS.total_timeout_s
    max_connections: int = BUILT_IN_LIMITS.max_connections
    connection_wait_s: float = BUILT_IN_LIMITS.connection_wait_s
    max_waiting: int = BUILT_IN_LIMITS.max_waiting


class ChatModelFactory(Protocol):
    """Makes the ChatModel of a provider; one is registered for each kind of provider."""

    def __call__(self, config: ProviderConfig, /) -> "OpenChatModel":
        """Return a model client that is ready to be called; raise `ProviderNotReady` where something is missing."""
        ...


class OpenChatModel(ChatModel, Protocol):
    """A ChatModel that holds connections."""

    async def aclose(self) -> None:
        """Give back connections. Calls that are under way may fail."""
        ...


Factories = Mapping[str, ChatModelFactory]


class CatalogueStore(Protocol):
    """Providers and models, kept by the platform."""

    async def add_provider(self, tx: Transaction, provider: Provider) -> None:
        """Store a new provider; raise `ProviderExists`."""
        ...

    async def lock_provider(self, tx: Transaction, name: str) -> Provider:
        """Return a provider that nobody else changes meanwhile; raise `UnknownProvider`."""
        ...

    async def save_limits(self, tx: Transaction, provider: Provider) -> None:
        """Store the limits of a provider that was locked."""
        ...

    async def remove_provider(self, tx: Transaction, name: str) -> None:
        """Remove a provider; raise `UnknownProvider`."""
        ...

    async def providers(self, tx: Transaction) -> Sequence[Provider]:
        """Return all providers, by name."""
        ...

    async def add_model(self, tx: Transaction, model: Model) -> None:
        """Store a new model; raise `ModelExists`."""
        ...

    async def remove_model(self, tx: Transaction, name: str) -> None:
        """Remove a model; raise `UnknownModel`."""
        ...

    async def models(self, tx: Transaction) -> Sequence[Model]:
        """Return all models, by name."""
        ...


class KeyedCallStore(Protocol):
    """Calls under keys of clients, of the transaction's tenant. Moments are the storage's own, never the caller's."""

    async def claim(self, tx: Transaction, attempt: Attempt, *, lease_s: float, keep_s: float) -> KeyedCall:
        """Let `attempt` make the call of its key if nobody does or did; return what is stored under the key then.

        The call is the attempt's own where `attempt_id` says so, for `lease_s` seconds from now. One that nobody has
        held for that long is taken over with its `call_id`, by an attempt to ask the same. After `keep_s` seconds, of
        which an answer's count from when it was kept, a key is as good as new.
        """
        ...

    async def renew(self, tx: Transaction, attempt_ids: Sequence[UUID], *, lease_s: float) -> None:
        """Hold the calls that these attempts still make for `lease_s` seconds from now; 0 lets go of them."""
        ...

    async def keep(self, tx: Transaction, attempt_id: UUID, sealed: bytes | None, *, keep_s: float) -> bool:
        """Store what came of the call for `keep_s` seconds; tell whether it still was this attempt's to make."""
        ...

    async def release(self, tx: Transaction, attempt_id: UUID) -> None:
        """Forget the call if it still is this attempt's to make: its key is as good as new."""
        ...

    async def expired(self, limit: int) -> Sequence[TenantId]:
        """Return up to `limit` tenants that have calls whose time is over, in no order."""
        ...

    async def prune(self, tx: Transaction, limit: int) -> int:
        """Erase up to `limit` calls whose time is over; return how many."""
        ...


class UnrecordedUsage(Protocol):
    """Hears of usage that could not be recorded, for somebody to charge it by hand."""

    def __call__(self, event: UsageEvent, error: Exception) -> None:
        """Pass on everything about `event`, and why it is in no log."""
        ...


class UsageWitness(Protocol):
    """Hears of the usage of each call when it is on record, or left to be recorded."""

    def __call__(self, event: UsageEvent, doubt: Doubt | None) -> None:
        """Take note of `event`, and of the provider's figures where they were not believed."""
        ...


class Seal(Protocol):
    """Keeps secrets that have to be used again. `context` says whose secret it is, and has to be the same."""

    def seal(self, secret: str, context: str) -> bytes:
        """Return `secret`, unreadable."""
        ...

    def open(self, sealed: bytes, context: str) -> str:
        """Return the secret."""
        ...
