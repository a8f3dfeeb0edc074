"""Logs: for people on a terminal, one JSON object a line otherwise; always redacted."""

import logging
import sys
from typing import Literal

import structlog

from omni_core.adapters.telemetry.redaction import redact

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def configure_logging(level: str, form: Literal["auto", "console", "json"]) -> None:
    """Set up structlog and the standard library's logging, so that every library's entries pass the redaction.

    Entries go to standard error; standard output is a program's result.
    """
    console = form == "console" or (form == "auto" and sys.stderr.isatty())
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.ExtraAdder(),
        _drop_uvicorns_colours,
        structlog.processors.format_exc_info,
        redact,
    ]
    renderer: structlog.types.Processor = structlog.processors.JSONRenderer()
    if console:
        # Tracebacks are text by now: the renderer's own formatting would come after the redaction.
        renderer = structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(_LEVELS[level])
    # Tells at every start which dialect it found.
    logging.getLogger("alembic").setLevel(max(_LEVELS[level], logging.WARNING))
    # While PostgreSQL is away it writes a traceback each second; requests that fail for it are logged in any case.
    logging.getLogger("asyncpg.pool").setLevel(logging.ERROR)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.PositionalArgumentsFormatter(),
            *[processor for processor in shared if not isinstance(processor, structlog.stdlib.ExtraAdder)],
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def _drop_uvicorns_colours(
    _logger: object, _method: str, entry: structlog.types.EventDict
) -> structlog.types.EventDict:
    # Its entries carry their text a second time, with the escapes of a terminal.
    entry.pop("color_message", None)
    return entry
