"""The application in this process, on memory adapters."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from litestar.types import ASGIApp

from omni_core import (
    OPERATOR,
    AddModel,
    ChatRequest,
    ChatResponse,
    CreateKey,
    CreateTenant,
    Omni,
    ProviderConfig,
    Scope,
    Settings,
)
from omni_core.adapters.telemetry.metrics import Metrics
from omni_core.bootstrap.settings.llm import LlmSettings
from omni_core.domain.llm.api import Capabilities, ChatDelta
from omni_http.app import create_app
from tests.support.asgi import client_of, lifespan_of

SECRET = "sk-live-0123456789abcdefABCDEF"


class Buggy:
    """A provider's client with a mistake in it, whose message holds what nobody may see."""

    def __init__(self, config: ProviderConfig) -> None:
        self.capabilities = Capabilities()

    async def complete(self, request: ChatRequest) -> ChatResponse:
        raise AssertionError(await self._mistake())

    async def stream(self, request: ChatRequest) -> AsyncGenerator[ChatDelta, None]:
        yield ChatDelta(text=await self._mistake())

    async def aclose(self) -> None:
        """Nothing is open."""

    async def _mistake(self) -> str:
        raise RuntimeError(f"mistake with {SECRET}")


@dataclass
class Running:
    """The application, the Omni in it, and the key of somebody who may do everything."""

    app: ASGIApp
    omni: Omni
    key: str


@asynccontextmanager
async def running_with(**options: Any) -> AsyncIterator[Running]:
    """Run the application; `options` are `Omni.open`'s."""
    opened: list[Omni] = []

    @asynccontextmanager
    async def opener(settings: Settings, metrics: Metrics) -> AsyncIterator[Omni]:
        async with Omni.open(settings, memory=True, decorate=metrics.instrument, **options) as omni:
            opened.append(omni)
            yield omni

    app = create_app(
        Settings(llm=LlmSettings(providers=(ProviderConfig("buggy", "buggy"),)), max_body_bytes=100_000), opener
    )
    async with lifespan_of(app):
        (omni,) = opened
        tenant = await omni.tenants.create(OPERATOR, CreateTenant("demo", "Demo"))
        made = await omni.keys.create(omni.operator(tenant.id), CreateKey("all", tuple(Scope)))
        yield Running(app, omni, made.secret)


@pytest.fixture(scope="module")
async def running() -> AsyncIterator[Running]:
    async with running_with(chat_models={"buggy": Buggy}) as running:
        await running.omni.catalogue.add_model(OPERATOR, AddModel("buggy", "buggy", {"input": "1", "output": "1"}))
        yield running


@pytest.fixture
async def client(running: Running) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(running.app, running.key) as client:
        yield client


@pytest.fixture
async def anybody(running: Running) -> AsyncIterator[httpx.AsyncClient]:
    """A client without a key."""
    async with client_of(running.app) as client:
        yield client
