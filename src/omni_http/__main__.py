"""`python -m omni_http`: serves Omni on the address of the settings."""

import gc
import logging
import socket
import sys
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager

import structlog

from omni_core import Omni, OmniError, Settings
from omni_core.adapters.telemetry.logging import configure_logging
from omni_core.adapters.telemetry.metrics import Metrics
from omni_core.bootstrap.exits import UNFORESEEN, exit_code_of
from omni_http.app import create_app, open_omni
from omni_http.listening import bound
from omni_http.refusals import PortTaken
from omni_http.server import Server

# Nearly everything that a request makes is freed by its reference count. Python's default, a look for cycles after 700
# new objects, would take a tenth of the CPU and find next to nothing.
_COLLECT_AFTER = 50_000
_log = structlog.get_logger("omni.http")


class Program(Server):
    """The server as a process of its own, with garbage collection set for serving once everything is loaded."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Open Omni and listen."""
        await super().startup(sockets)
        gc.collect()
        gc.freeze()
        gc.set_threshold(_COLLECT_AFTER)


class Opening:
    """Opens Omni, and keeps why it could not be opened: the application says that, the server need not say more."""

    failure: OmniError | None = None

    @asynccontextmanager
    async def __call__(self, settings: Settings, metrics: Metrics) -> AsyncGenerator[Omni, None]:
        """Open Omni as the application does by itself."""
        async with AsyncExitStack() as stack:
            try:
                omni = await stack.enter_async_context(open_omni(settings, metrics))
            except OmniError as error:
                self.failure = error
                raise
            yield omni

    def lets_pass(self, _record: logging.LogRecord) -> bool:
        """Keep back what the server logs of an error that has been told: a traceback, and that it ends."""
        return self.failure is None


def main() -> int:
    """Serve until SIGTERM or SIGINT; return the exit code."""
    try:
        settings = Settings.load()
    except OmniError as error:
        sys.stderr.write(f"error: {error.detail}\n")
        return exit_code_of(error)
    configure_logging(settings.log_level, settings.log_format)
    try:
        with bound(settings.host, settings.port) as sockets:
            return _serve(settings, sockets)
    except PortTaken as error:
        _log.error("cannot start", code=error.code, detail=error.detail)
        return exit_code_of(error)


def _serve(settings: Settings, sockets: list[socket.socket]) -> int:
    opening, metrics = Opening(), Metrics()
    logging.getLogger("uvicorn.error").addFilter(opening.lets_pass)
    server = Program(create_app(settings, opening, metrics), settings, metrics)
    try:
        server.run(sockets)
    except SystemExit:
        if opening.failure is None:
            raise
        return exit_code_of(opening.failure)
    return 0 if server.started else UNFORESEEN


if __name__ == "__main__":
    sys.exit(main())
