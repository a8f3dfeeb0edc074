"""Tells the operator of usage that reached no log, and of usage that is not what the provider said."""

import msgspec
import structlog

from omni_core.domain.kernel.money import picos_text
from omni_core.domain.llm.belief import Doubt
from omni_core.domain.metering.api import UsageEvent

_log = structlog.get_logger("omni.usage")


def log_unrecorded_usage(event: UsageEvent, error: Exception) -> None:
    """Log the whole event, as an error: whoever reads it can charge the tenant by hand. The port `UnrecordedUsage`."""
    _log.error(
        "usage not recorded",
        event_fields=msgspec.to_builtins(event, enc_hook=picos_text),
        reason=str(error),
        exc_info=error,
    )


def log_doubted_usage(event: UsageEvent, doubt: Doubt | None) -> None:
    """Log figures of a provider that were not believed, and what is charged instead. The port `UsageWitness`."""
    if doubt is not None:
        _log.warning(
            "usage not believed",
            reason=doubt.reason.value,
            told=msgspec.structs.asdict(doubt.figures),
            charged=msgspec.structs.asdict(event.quantities),
            event_id=str(event.id),
            tenant_id=str(event.tenant_id),
            model=event.model,
            provider=event.provider,
            request_id=event.request_id,
        )
