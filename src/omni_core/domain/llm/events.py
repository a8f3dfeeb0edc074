"""What happened to the catalogue."""

from typing import ClassVar
from uuid import UUID

from omni_core.domain.kernel.events import Event
from omni_core.domain.kernel.tenancy import PLATFORM


class _CatalogueEvent(Event, frozen=True):
    """The catalogue is one thing, so that its events keep their order."""

    aggregate: ClassVar[str] = "catalogue"

    @property
    def catalogue(self) -> UUID:
        """The catalogue's owner stands for it."""
        return PLATFORM


class ProviderAdded(_CatalogueEvent, frozen=True):
    """A provider was added."""

    event_type: ClassVar[str] = "llm.provider_added"
    name: str
    kind: str


class ProviderLimitsChanged(_CatalogueEvent, frozen=True):
    """A provider was given other limits."""

    event_type: ClassVar[str] = "llm.provider_limits_changed"
    name: str


class ProviderRemoved(_CatalogueEvent, frozen=True):
    """A provider was removed."""

    event_type: ClassVar[str] = "llm.provider_removed"
    name: str


class ModelAdded(_CatalogueEvent, frozen=True):
    """A model was added."""

    event_type: ClassVar[str] = "llm.model_added"
    name: str
    provider: str


class ModelRemoved(_CatalogueEvent, frozen=True):
    """A model was removed."""

    event_type: ClassVar[str] = "llm.model_removed"
    name: str
