"""From a model's name to an open client of its provider, for the path of every call."""

from collections.abc import Sequence
from contextlib import AsyncExitStack

import msgspec

from omni_core.domain.kernel.clock import Clock
from omni_core.domain.kernel.fresh import Fresh
from omni_core.domain.kernel.tenancy import PLATFORM, TenantId
from omni_core.domain.kernel.uow import UnitOfWork
from omni_core.domain.llm.catalogue import Model, Provider, seal_context
from omni_core.domain.llm.errors import ProviderNotReady, UnknownModel, UnknownProviderKind
from omni_core.domain.llm.limits import BUILT_IN_LIMITS, Limits
from omni_core.domain.llm.places import Load, PlacedChatModel, Places
from omni_core.domain.llm.ports import (
    CatalogueStore,
    ChatModel,
    ConfiguredProvider,
    Factories,
    OpenChatModel,
    ProviderConfig,
    Seal,
)

CATALOGUE_FRESH_S = 1.0


class Route(msgspec.Struct, frozen=True):
    """A model, the client to call it with, and the places for calls of its provider."""

    model: Model
    client: ChatModel
    places: Places

    def client_for(self, tenant: TenantId) -> ChatModel:
        """Return the client for the calls of a tenant, which take a place each."""
        return PlacedChatModel(self.client, self.places, tenant)


class Routes:
    """Opens one client for each provider, when it is first called, and keeps it until `close`.

    `configured` are the providers of the settings, by name; they come before those of the catalogue. `defaults` are the
    limits of providers that set none of their own.
    """

    def __init__(
        self,
        uow: UnitOfWork,
        store: CatalogueStore,
        seal: Seal,
        factories: Factories,
        configured: Sequence[ConfiguredProvider],
        clock: Clock,
        defaults: Limits = BUILT_IN_LIMITS,
    ) -> None:
        self._uow = uow
        self._store = store
        self._seal = seal
        self.factories = factories
        self.configured = {one.name: one.config(defaults) for one in configured}
        self.defaults = defaults
        self._catalogue = Fresh(self._read, clock, CATALOGUE_FRESH_S)
        self._clients: dict[str, tuple[Provider | ProviderConfig, OpenChatModel]] = {}
        self._retired: list[OpenChatModel] = []
        # By name, beyond their clients: what is under way on an old client counts.
        self._places: dict[str, Places] = {}

    async def find(self, name: str) -> Route:
        """Return the way to a model; raise `UnknownModel` or `ProviderNotReady`."""
        models, providers = await self._catalogue.get()
        model = models.get(name)
        if model is None:
            raise UnknownModel(f"there is no model {name!r}", field="model")
        provider = self.configured.get(model.provider) or providers.get(model.provider)
        if provider is None:
            raise ProviderNotReady(f"the provider {model.provider!r} is not set up", provider=model.provider)
        client = self._client(provider)
        return Route(model, client, self._places[provider.name])

    def loads(self) -> Sequence[Load]:
        """Return how the places of each provider that was called stand, by its name."""
        return [self._places[name].load for name in sorted(self._places)]

    def forget(self) -> None:
        """Read the catalogue again at the next call."""
        self._catalogue.forget()

    async def close(self) -> None:
        """Close every client, also where one of them fails to."""
        async with AsyncExitStack() as stack:
            for client in (*self._retired, *(client for _, client in self._clients.values())):
                stack.push_async_callback(client.aclose)
            self._clients.clear()
            self._retired.clear()

    def _client(self, provider: Provider | ProviderConfig) -> ChatModel:
        known = self._clients.get(provider.name)
        if known is not None and known[0] == provider:
            return known[1]
        config = provider if isinstance(provider, ProviderConfig) else self._config(provider)
        factory = self.factories.get(config.kind)
        if factory is None:
            raise UnknownProviderKind(
                f"no installed adapter speaks {config.kind!r}", field="kind", allowed=sorted(self.factories)
            )
        client = factory(config)
        if known is not None:
            # Calls may be under way on the old client; it is closed at the end.
            self._retired.append(known[1])
        self._clients[provider.name] = (provider, client)
        limits = config.over(self.defaults)
        self._places.setdefault(provider.name, Places(provider.name, limits)).change(limits)
        return client

    def _config(self, provider: Provider) -> ProviderConfig:
        key = None
        if provider.sealed_key is not None:
            key = self._seal.open(provider.sealed_key, seal_context(provider.name))
        limits = msgspec.structs.asdict(provider.limits.over(self.defaults))
        return ProviderConfig(provider.name, provider.kind, provider.base_url, key, provider.passes, **limits)

    async def _read(self) -> tuple[dict[str, Model], dict[str, Provider]]:
        async with self._uow(PLATFORM) as tx:
            models = await self._store.models(tx)
            providers = await self._store.providers(tx)
        return {model.name: model for model in models}, {provider.name: provider for provider in providers}
