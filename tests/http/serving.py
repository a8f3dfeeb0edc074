"""The application on memory adapters and a real socket, with a usage log that a test can hold up or break."""

import asyncio
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
from dependency_injector import providers

from omni_core import OPERATOR, AddModel, AddProvider, CreateKey, CreateTenant, Omni, Principal, Settings
from omni_core.adapters.telemetry.metrics import Metrics
from omni_core.bootstrap.lifespan import open_wiring
from omni_core.bootstrap.settings.http import HttpSettings
from omni_core.domain.budgets.api import Charge
from omni_core.domain.metering.api import UsageEvent, UsageLog
from omni_core.testing.upstream import FakeUpstream
from omni_http.app import create_app
from omni_http.server import Server

LIMITS = HttpSettings(grace_s=2)
PRICES = {"input": "1", "output": "2"}


class HeldLog:
    """A usage log whose `gate` can be shut, and which fails with `failure` where one is set."""

    def __init__(self, log: UsageLog) -> None:
        self._log = log
        self.gate = asyncio.Event()
        self.gate.set()
        self.failure: Exception | None = None
        self.events: list[UsageEvent] = []
        self._writing: set[asyncio.Task[bool]] = set()

    async def append(self, event: UsageEvent, charges: Sequence[Charge] = ()) -> bool:
        # As the port wants it: a caller who leaves takes nothing back.
        writing = asyncio.create_task(self._write(event, charges))
        self._writing.add(writing)
        writing.add_done_callback(self._writing.discard)
        return await asyncio.shield(writing)

    async def _write(self, event: UsageEvent, charges: Sequence[Charge]) -> bool:
        await self.gate.wait()
        if self.failure is not None:
            raise self.failure
        is_new = await self._log.append(event, charges)
        if is_new:
            self.events.append(event)
        return is_new

    async def close(self) -> None:
        self.gate.set()


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """What is served, and what stands behind it."""

    client: httpx.AsyncClient
    omni: Omni
    log: HeldLog
    upstream: FakeUpstream
    principal: Principal
    server: Server
    port: int
    metrics: Metrics


@asynccontextmanager
async def served(*models: str, limits: HttpSettings = LIMITS) -> AsyncIterator[Served]:
    """Serve for the block; each of `models` is answered by the fake provider."""
    opened: dict[str, HeldLog | Omni] = {}

    @asynccontextmanager
    async def opener(settings: Settings, metrics: Metrics) -> AsyncGenerator[Omni, None]:
        async with open_wiring(
            settings, memory=True, upgrade=False, chat_models={}, decorate=metrics.instrument
        ) as wiring:
            metering = wiring.part("metering")
            log = opened["log"] = HeldLog(metering.log())
            metering.log.override(providers.Object(log))
            omni = opened["omni"] = Omni(wiring, settings)
            yield omni

    settings, metrics = Settings(http=limits), Metrics()
    server = Server(create_app(settings, opener, metrics), settings, metrics)
    async with FakeUpstream() as upstream, _listening(server) as port:
        omni, log = opened["omni"], opened["log"]
        assert isinstance(omni, Omni)
        assert isinstance(log, HeldLog)
        tenant = await omni.tenants.create(OPERATOR, CreateTenant("demo", "Demo"))
        principal = omni.operator(tenant.id)
        key = await omni.keys.create(principal, CreateKey("test"))
        await omni.catalogue.add_provider(OPERATOR, AddProvider("fake", "openai", base_url=upstream.url))
        for model in models:
            await omni.catalogue.add_model(OPERATOR, AddModel(model, "fake", prices=PRICES))
        headers = {"Authorization": f"Bearer {key.secret}"}
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=10) as client:
            yield Served(
                client=client,
                omni=omni,
                log=log,
                upstream=upstream,
                principal=principal,
                server=server,
                port=port,
                metrics=metrics,
            )


@asynccontextmanager
async def _listening(server: Server) -> AsyncIterator[int]:
    listener = socket.create_server(("127.0.0.1", 0))
    port: int = listener.getsockname()[1]
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:
        assert not serving.done(), "the application did not start"
        await asyncio.sleep(0.01)
    try:
        yield port
    finally:
        server.should_exit = True
        await serving
        listener.close()
