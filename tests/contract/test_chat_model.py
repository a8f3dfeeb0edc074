"""The adapters of the port ChatModel, over the fake provider."""

import pytest

from omni_core.adapters.llm.factories import factories
from omni_core.domain.llm.ports import ProviderConfig
from omni_core.testing.contracts.llm import ChatModelContract
from omni_core.testing.upstream import FakeUpstream


class OverHttp(ChatModelContract):
    @pytest.fixture
    async def upstream(self):
        async with FakeUpstream(keys={"sk-contract"}) as upstream:
            yield upstream

    @pytest.fixture
    def model_name(self):
        return "fake-1"


class TestOmniBrain(ChatModelContract):
    @pytest.fixture
    def model_name(self):
        return "omni-brain"

    @pytest.fixture
    async def chat_model(self):
        model = factories()["brain"](ProviderConfig("brain", "brain"))
        yield model
        await model.aclose()


class TestOpenAI(OverHttp):
    @pytest.fixture
    async def chat_model(self, upstream):
        model = factories()["openai"](ProviderConfig("openai", "openai", upstream.url, "sk-contract"))
        yield model
        await model.aclose()


class TestOllama(OverHttp):
    @pytest.fixture
    async def chat_model(self, upstream):
        model = factories()["ollama"](ProviderConfig("ollama", "ollama", upstream.url, "sk-contract"))
        yield model
        await model.aclose()


class TestAnthropic(OverHttp):
    @pytest.fixture
    async def chat_model(self, upstream):
        config = ProviderConfig("anthropic", "anthropic", upstream.anthropic_url, "sk-contract")
        model = factories()["anthropic"](config)
        yield model
        await model.aclose()
