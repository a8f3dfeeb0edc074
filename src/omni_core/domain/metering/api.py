"""The face of metering: what shells and other contexts may use of it."""

from omni_core.domain.metering.errors import UnknownCall, UsageNotRecorded
from omni_core.domain.metering.model import (
    MOST_GROUPS,
    CallStatus,
    EstimateReason,
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
    "MOST_GROUPS",
    "CallStatus",
    "EstimateReason",
    "Grouping",
    "Meter",
    "Metering",
    "Quantities",
    "UnknownCall",
    "UsageEvent",
    "UsageLog",
    "UsageNotRecorded",
    "UsageQuery",
    "UsageSum",
]
