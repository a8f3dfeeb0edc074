"""`python -m omni_http`: serves Omni on the address of the settings."""

import gc
import socket
import sys

import uvicorn

from omni_core import OmniError, Settings
from omni_core.adapters.telemetry.logging import configure_logging
from omni_http.app import create_app

EX_CONFIG = 78

# Nearly everything that a request makes is freed by its reference count. Python's default, a look for cycles after 700
# new objects, would take a tenth of the CPU and find next to nothing.
_COLLECT_AFTER = 50_000


class Server(uvicorn.Server):
    """Uvicorn, with garbage collection set for serving once everything is loaded."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Open Omni and listen."""
        await super().startup(sockets)
        gc.collect()
        gc.freeze()
        gc.set_threshold(_COLLECT_AFTER)


def main() -> int:
    """Serve until SIGTERM or SIGINT; return the exit code."""
    try:
        settings = Settings.load()
    except OmniError as error:
        sys.stderr.write(f"error: {error.detail}\n")
        return EX_CONFIG
    configure_logging(settings.log_level, settings.log_format)
    config = uvicorn.Config(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=10,
        lifespan="on",
    )
    server = Server(config)
    server.run()
    return 0 if server.started else 1


if __name__ == "__main__":
    sys.exit(main())
