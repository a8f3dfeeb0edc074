"""What every adapter of the ports of events does, each by itself and all of them together."""

from omni_core.testing.contracts.events.log import EventLogContract
from omni_core.testing.contracts.events.reactions import HoldingContract, ReactingContract, ReplayContract
from omni_core.testing.contracts.events.storage import (
    CursorsContract,
    HeldEventsContract,
    InboxContract,
    WakingContract,
)

__all__ = [
    "CursorsContract",
    "EventLogContract",
    "HeldEventsContract",
    "HoldingContract",
    "InboxContract",
    "ReactingContract",
    "ReplayContract",
    "WakingContract",
]
