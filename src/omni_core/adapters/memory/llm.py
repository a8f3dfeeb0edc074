"""The catalogue in memory."""

from collections.abc import Sequence

from omni_core.adapters.memory.database import memory_tx
from omni_core.domain.kernel.uow import Transaction
from omni_core.domain.llm.catalogue import Model, Provider
from omni_core.domain.llm.errors import ModelExists, ProviderExists, UnknownModel, UnknownProvider


class MemoryCatalogueStore:
    """The port `CatalogueStore`."""

    async def add_provider(self, tx: Transaction, provider: Provider) -> None:
        """Store a new provider."""
        if memory_tx(tx).get("provider", provider.name) is not None:
            raise ProviderExists(f"there is a provider {provider.name!r} already", field="name")
        memory_tx(tx).put("provider", provider.name, provider)

    async def lock_provider(self, tx: Transaction, name: str) -> Provider:
        """Return a provider; the database in memory runs one transaction at a time."""
        provider = memory_tx(tx).get("provider", name)
        if not isinstance(provider, Provider):
            raise UnknownProvider(f"there is no provider {name!r}", provider=name)
        return provider

    async def save_limits(self, tx: Transaction, provider: Provider) -> None:
        """Store the limits."""
        memory_tx(tx).put("provider", provider.name, provider)

    async def remove_provider(self, tx: Transaction, name: str) -> None:
        """Remove a provider."""
        if not memory_tx(tx).delete("provider", name):
            raise UnknownProvider(f"there is no provider {name!r}", provider=name)

    async def providers(self, tx: Transaction) -> Sequence[Provider]:
        """Return all providers, by name."""
        return sorted(memory_tx(tx).find("provider"), key=lambda provider: provider.name)

    async def add_model(self, tx: Transaction, model: Model) -> None:
        """Store a new model."""
        if memory_tx(tx).get("model", model.name) is not None:
            raise ModelExists(f"there is a model {model.name!r} already", field="name")
        memory_tx(tx).put("model", model.name, model)

    async def remove_model(self, tx: Transaction, name: str) -> None:
        """Remove a model."""
        if not memory_tx(tx).delete("model", name):
            raise UnknownModel(f"there is no model {name!r}", field="model")

    async def models(self, tx: Transaction) -> Sequence[Model]:
        """Return all models, by name."""
        return sorted(memory_tx(tx).find("model"), key=lambda model: model.name)
