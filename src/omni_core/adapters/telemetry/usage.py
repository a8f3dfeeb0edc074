"""Tells the operator of usage that reached no log."""

import msgspec
import structlog

from omni_core.domain.metering.api import UsageEvent

_log = structlog.get_logger("omni.usage")


def log_unrecorded_usage(event: UsageEvent, error: Exception) -> None:
    """Log the whole event, as an error: whoever reads it can charge the tenant by hand. The port `UnrecordedUsage`."""
    _log.error("usage not recorded", event_fields=msgspec.to_builtins(event), reason=str(error), exc_info=error)
