"""The face of events: what shells and other contexts may use of it."""

from omni_core.domain.events.ports import EventStorage
from omni_core.domain.events.runner import Round, SubscriptionRunner
from omni_core.domain.events.service import Events
from omni_core.domain.events.subscription import Handler, Subscription
from omni_core.domain.events.trying import Retries, Setback, Visit
from omni_core.domain.events.views import HeldView, Replay, SubscriptionState
from omni_core.domain.kernel.events import RecordedEvent

__all__ = [
    "EventStorage",
    "Events",
    "Handler",
    "HeldView",
    "RecordedEvent",
    "Replay",
    "Retries",
    "Round",
    "Setback",
    "Subscription",
    "SubscriptionRunner",
    "SubscriptionState",
    "Visit",
]
