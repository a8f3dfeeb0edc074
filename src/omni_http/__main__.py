"""`python -m omni_http`: serves Omni on the address of the settings."""

import sys

import uvicorn

from omni_core import OmniError, Settings
from omni_core.adapters.telemetry.logging import configure_logging
from omni_http.app import create_app

EX_CONFIG = 78


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
        timeout_graceful_shutdown=10,
        lifespan="on",
    )
    server = uvicorn.Server(config)
    server.run()
    return 0 if server.started else 1


if __name__ == "__main__":
    sys.exit(main())
