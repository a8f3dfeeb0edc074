"""The face of metering: what shells and other contexts may use of it."""

from omni_core.domain.metering.model import (
    CallStatus,
    Grouping,
    Meter,
    Quantities,
    UsageEvent,
    UsageQuery,
    UsageSum,
)
from omni_core.domain.metering.ports import UsageLog
from omni_core.domain.metering.service import Metering

__all__ = [
    "CallStatus",
    "Grouping",
    "Meter",
    "Metering",
    "Quantities",
    "UsageEvent",
    "UsageLog",
    "UsageQuery",
    "UsageSum",
]
