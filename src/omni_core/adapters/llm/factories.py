"""The kinds of provider that can be configured: Omni's own, and those that other distributions bring."""

from importlib.metadata import EntryPoint, entry_points

from omni_core.adapters.llm.brain import OmniBrain
from omni_core.domain.kernel.errors import InvalidValue
from omni_core.domain.llm.errors import ProviderNotReady
from omni_core.domain.llm.ports import ChatModelFactory, OpenChatModel, ProviderConfig

ENTRY_POINT_GROUP = "omni.chat_models"
"""A distribution registers `kind = "its.module:factory"` here, a `ChatModelFactory`, and needs nothing else."""

_OVER_HTTP = {
    "openai": "omni_core.adapters.llm.openai:openai_chat_model",
    "ollama": "omni_core.adapters.llm.openai:ollama_chat_model",
    "anthropic": "omni_core.adapters.llm.anthropic:anthropic_chat_model",
}
"""Loaded like the others' because they need aiohttp, which a core installation does not have."""


def factories() -> dict[str, ChatModelFactory]:
    """Return a factory for each kind; raise `InvalidValue` where two distributions claim the same one.

    vLLM and most other servers are of kind `openai`, with a base URL. What a kind needs is imported when a provider of
    that kind is made, so a broken or missing package is felt by nobody else.
    """
    own = [EntryPoint(kind, value, ENTRY_POINT_GROUP) for kind, value in _OVER_HTTP.items()]
    known: dict[str, ChatModelFactory] = {"brain": OmniBrain}
    for point in [*own, *entry_points(group=ENTRY_POINT_GROUP)]:
        if point.name in known:
            raise InvalidValue(f"Two packages offer providers of kind {point.name!r}", field="kind", value=point.value)
        known[point.name] = _Registered(point)
    return known


class _Registered:
    """The factory behind an entry point, loaded when it is first used."""

    def __init__(self, point: EntryPoint) -> None:
        self._point = point

    def __call__(self, config: ProviderConfig) -> OpenChatModel:
        try:
            factory: ChatModelFactory = self._point.load()
        except (ImportError, AttributeError) as error:
            detail = f"Providers of kind {self._point.name!r} cannot be loaded from {self._point.value!r}"
            if getattr(error, "name", None) == "aiohttp":
                detail = f"Providers of kind {self._point.name!r} need aiohttp: install Omni with its extra 'llm'"
            raise ProviderNotReady(detail, provider=config.name) from error
        return factory(config)
