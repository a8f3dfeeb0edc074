"""The server: uvicorn with a front door, and an end that tells those whom it cuts off."""

import asyncio
import socket

import structlog
import uvicorn
from litestar.types import ASGIApp

from omni_core import Settings
from omni_core.adapters.telemetry.metrics import Metrics
from omni_http.door.connection import Connection, DoorConfig
from omni_http.door.keeper import Doorkeeper
from omni_http.ending import ENDING, Ending
from omni_http.listening import not_had

CUT_OFF_WITHIN_S = 5.0
"""How long calls that are cut off have to tell their clients, and to be charged."""
_PAUSE_S = 0.05
_log = structlog.get_logger("omni.http")


class Server(uvicorn.Server):
    """Serves an application within the limits of the settings."""

    def __init__(self, app: ASGIApp, settings: Settings, metrics: Metrics) -> None:
        self._keeper = Doorkeeper(settings.http, metrics)
        config = DoorConfig(
            app,
            self._keeper,
            host=settings.host,
            port=settings.port,
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=False,
            proxy_headers=False,
            lifespan="on",
        )
        super().__init__(config)
        self._grace_s = settings.http.grace_s
        self._ending = Ending()
        self._watching: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Open Omni and listen."""
        try:
            await super().startup(sockets)
        except OSError as error:
            # Somebody was quicker: two may have bound an address, and only one can listen on it.
            await self.lifespan.shutdown()
            raise not_had(self.config.host, self.config.port, error) from error
        _log.info("listening", addresses=[f"{one[0]} port {one[1]}" for one in self._addresses()])
        self.lifespan.state[ENDING] = self._ending
        self._watching = asyncio.create_task(self._keeper.watch(self.connections))

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop listening, let calls end, cut off those that do not within the grace, and close Omni."""
        await super().shutdown(sockets)
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.wait([self._watching])

    def connections(self) -> list[Connection]:
        """Return those that are open."""
        return [one for one in self.server_state.connections if isinstance(one, Connection)]

    def _addresses(self) -> list[tuple[str, int]]:
        return [listener.getsockname()[:2] for server in self.servers for listener in server.sockets]

    async def _wait_tasks_to_complete(self) -> None:
        try:
            async with asyncio.timeout(self._grace_s):
                await super()._wait_tasks_to_complete()
        except TimeoutError:
            await self._cut_off()

    async def _cut_off(self) -> None:
        """Cancel what is under way, and wait until clients were told and Omni may be closed."""
        tasks = list(self.server_state.tasks)
        if tasks:
            _log.warning("calls cut off", calls=len(tasks))
        self._ending.is_over = True
        for connection in self.connections():
            if connection.flow.write_paused:
                connection.transport.abort()  # who does not read cannot be told
        for task in tasks:
            task.cancel()
        loop = asyncio.get_running_loop()
        until = loop.time() + CUT_OFF_WITHIN_S
        while (self.server_state.tasks or self.server_state.connections) and not self.force_exit:
            if loop.time() > until:
                break  # calls that do not let themselves be ended, and clients who do not read
            await asyncio.sleep(_PAUSE_S)
