"""The catalogue of models: the use cases."""

from collections.abc import Sequence
from dataclasses import replace

import msgspec

from omni_core.domain.kernel.clock import Clock
from omni_core.domain.kernel.tenancy import PLATFORM, Principal, Scope
from omni_core.domain.kernel.uow import UnitOfWork
from omni_core.domain.llm.catalogue import (
    DEFAULT_CONTEXT_LENGTH,
    DEFAULT_MAX_OUTPUT_TOKENS,
    AddModel,
    AddProvider,
    Model,
    Provider,
    ProviderView,
    seal_context,
)
from omni_core.domain.llm.errors import (
    ProviderExists,
    ProviderInUse,
    UnknownModel,
    UnknownProvider,
    UnknownProviderKind,
)
from omni_core.domain.llm.events import (
    ModelAdded,
    ModelRemoved,
    ProviderAdded,
    ProviderLimitsChanged,
    ProviderRemoved,
)
from omni_core.domain.llm.limits import BUILT_IN_LIMITS, ChangeLimits, OwnLimits, own_limits
from omni_core.domain.llm.ports import CatalogueStore, Seal
from omni_core.domain.llm.routes import Routes
from omni_core.domain.pricing.api import Pricing, SetPrice


class Catalogue:
    """Which models there are. Providers that come from settings, which `routes` knows, cannot be changed here.

    A change is in force at once in this process, and within a second in others.
    """

    def __init__(
        self, uow: UnitOfWork, store: CatalogueStore, pricing: Pricing, routes: Routes, seal: Seal, clock: Clock
    ) -> None:
        self._uow = uow
        self._store = store
        self._pricing = pricing
        self._routes = routes
        self._seal = seal
        self._clock = clock

    async def add_provider(self, principal: Principal, command: AddProvider) -> ProviderView:
        """Make a provider known (platform:admin); raise `ProviderExists`, `UnknownProviderKind` or `InvalidValue`."""
        principal.require(Scope.PLATFORM_ADMIN)
        if command.kind not in self._routes.factories:
            raise UnknownProviderKind(
                f"no installed adapter speaks {command.kind!r}", field="kind", allowed=sorted(self._routes.factories)
            )
        if command.name in self._routes.configured:
            raise ProviderExists("settings define a provider of that name", field="name")
        sealed = self._seal.seal(command.api_key, seal_context(command.name)) if command.api_key else None
        provider = Provider(
            command.name,
            command.kind,
            command.base_url,
            sealed,
            OwnLimits(**own_limits(command)),
            self._clock.now(),
            command.passes,
        )
        async with self._uow(PLATFORM) as tx:
            await self._store.add_provider(tx, provider)
            await tx.record(ProviderAdded(provider.name, provider.kind))
        self._routes.forget()
        return self._view(provider)

    async def change_limits(self, principal: Principal, name: str, command: ChangeLimits) -> ProviderView:
        """Give a provider other limits (platform:admin), for calls that begin within a second from now.

        Raises `UnknownProvider`, also for one that the settings define, or `InvalidValue`.
        """
        principal.require(Scope.PLATFORM_ADMIN)
        if name in self._routes.configured:
            raise UnknownProvider(f"settings define the provider {name!r}; change it there", provider=name)
        async with self._uow(PLATFORM) as tx:
            before = await self._store.lock_provider(tx, name)
            provider = replace(before, limits=command.applied_to(before.limits))
            await self._store.save_limits(tx, provider)
            await tx.record(ProviderLimitsChanged(name))
        self._routes.forget()
        return self._view(provider)

    async def providers(self, principal: Principal) -> Sequence[ProviderView]:
        """Return the providers, by name (platform:admin)."""
        principal.require(Scope.PLATFORM_ADMIN)
        async with self._uow(PLATFORM) as tx:
            stored = [self._view(provider) for provider in await self._store.providers(tx)]
        configured = [
            ProviderView(
                config.name,
                config.kind,
                config.base_url,
                config.api_key is not None,
                "settings",
                config.passes,
                **msgspec.structs.asdict(config.over(BUILT_IN_LIMITS)),
            )
            for config in self._routes.configured.values()
        ]
        return sorted([*configured, *stored], key=lambda view: view.name)

    async def remove_provider(self, principal: Principal, name: str) -> None:
        """Forget a provider and its key (platform:admin); raise `UnknownProvider` or `ProviderInUse`."""
        principal.require(Scope.PLATFORM_ADMIN)
        async with self._uow(PLATFORM) as tx:
            users = [model.name for model in await self._store.models(tx) if model.provider == name]
            if users:
                raise ProviderInUse(f"the model {users[0]!r} is called at {name!r}", models=users)
            await self._store.remove_provider(tx, name)
            await tx.record(ProviderRemoved(name))
        self._routes.forget()

    async def add_model(self, principal: Principal, command: AddModel) -> Model:
        """Make a model callable, at a price (platform:admin).

        Raises `ModelExists`, `UnknownProvider`, `InvalidPrice` or `InvalidValue`.
        """
        principal.require(Scope.PLATFORM_ADMIN)
        model = Model(
            command.name,
            command.provider,
            command.upstream_model or command.name,
            DEFAULT_CONTEXT_LENGTH if command.context_length is None else command.context_length,
            DEFAULT_MAX_OUTPUT_TOKENS if command.max_output_tokens is None else command.max_output_tokens,
            self._clock.now(),
            is_context_declared=command.context_length is not None,
            is_output_declared=command.max_output_tokens is not None,
        )
        async with self._uow(PLATFORM) as tx:
            known = {provider.name for provider in await self._store.providers(tx)} | self._routes.configured.keys()
            if model.provider not in known:
                raise UnknownProvider(
                    f"there is no provider {model.provider!r}", field="provider", allowed=sorted(known)
                )
            await self._store.add_model(tx, model)
            await self._pricing.add(tx, SetPrice(model.name, command.prices, command.tiers))
            await tx.record(ModelAdded(model.name, model.provider))
        self._routes.forget()
        self._pricing.forget()
        return model

    async def remove_model(self, principal: Principal, name: str) -> None:
        """Make a model uncallable (platform:admin); its prices and usage stay. Raises `UnknownModel`."""
        principal.require(Scope.PLATFORM_ADMIN)
        async with self._uow(PLATFORM) as tx:
            await self._store.remove_model(tx, name)
            await tx.record(ModelRemoved(name))
        self._routes.forget()

    async def models(self, principal: Principal) -> Sequence[Model]:
        """Return the models that can be asked for, by name (models:read)."""
        principal.require(Scope.MODELS_READ)
        async with self._uow(PLATFORM) as tx:
            return await self._store.models(tx)

    async def model(self, principal: Principal, name: str) -> Model:
        """Return one model (models:read); raise `UnknownModel`."""
        for model in await self.models(principal):
            if model.name == name:
                return model
        raise UnknownModel(f"there is no model {name!r}", field="model")

    def _view(self, provider: Provider) -> ProviderView:
        limits = msgspec.structs.asdict(provider.limits.over(self._routes.defaults))
        has_key = provider.sealed_key is not None
        return ProviderView(
            provider.name, provider.kind, provider.base_url, has_key, "database", provider.passes, **limits
        )
