"""A fake provider, and clients of it in both protocols."""

from collections.abc import AsyncIterator, Callable

import pytest

from omni_core.adapters.llm.factories import factories
from omni_core.domain.llm.limits import Limits
from omni_core.domain.llm.ports import ConfiguredProvider, OpenChatModel
from omni_core.testing.upstream import FakeUpstream

KEY = "sk-integration-0123456789"
LIMITS = Limits(first_byte_timeout_s=5.0, read_timeout_s=5.0)


@pytest.fixture
async def upstream() -> AsyncIterator[FakeUpstream]:
    async with FakeUpstream(keys={KEY}) as upstream:
        yield upstream


@pytest.fixture(params=["openai", "anthropic"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def base_url(upstream: FakeUpstream, kind: str) -> str:
    return upstream.url if kind == "openai" else upstream.anthropic_url


@pytest.fixture
async def connect(kind: str, base_url: str) -> AsyncIterator[Callable[..., OpenChatModel]]:
    """Return a function that makes a client of the fake; settings of a provider may be overridden."""
    models: list[OpenChatModel] = []

    def connect(**settings: object) -> OpenChatModel:
        config = {
            "name": "vendor",
            "kind": kind,
            "base_url": base_url,
            "api_key": KEY,
            **settings,
        }
        provider = ConfiguredProvider(**config)  # type: ignore[arg-type]
        models.append(factories()[kind](provider.config(LIMITS)))
        return models[-1]

    yield connect
    for model in models:
        await model.aclose()
