"""What goes wrong with feedback."""

from omni_core.domain.kernel.errors import Conflict, Invalid, NotFound


class UnknownItem(NotFound):
    """There is no such item of feedback."""

    code = "feedback.unknown_item"


class InvalidItem(Invalid):
    """The item of feedback is not valid."""

    code = "feedback.invalid_item"


class InvalidVoter(Invalid):
    """The voter is not valid."""

    code = "feedback.invalid_voter"


class WrongStatus(Conflict):
    """The item is not in a status that allows this."""

    code = "feedback.wrong_status"
