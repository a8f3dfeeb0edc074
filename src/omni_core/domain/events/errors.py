"""What goes wrong with events and those who react to them."""

from omni_core.domain.kernel.errors import Conflict, NotFound


class UnknownEvent(NotFound):
    """There is no such event."""

    code = "events.unknown_event"


class UnknownSubscription(NotFound):
    """There is no such subscription."""

    code = "events.unknown_subscription"


class NotHeld(Conflict):
    """The event is not held for this subscription."""

    code = "events.not_held"


class HeldBehind(Conflict):
    """The event waits for an earlier one of its aggregate, which failed."""

    code = "events.held_behind"
