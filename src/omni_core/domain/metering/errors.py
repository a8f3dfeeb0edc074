"""What goes wrong with usage."""

from omni_core.domain.kernel.errors import DependencyFailed, Invalid, NotFound


class InvalidUsage(Invalid):
    """The usage is not valid."""

    code = "metering.invalid_usage"


class UsageNotRecorded(DependencyFailed):
    """The usage could not be recorded."""

    code = "metering.not_recorded"
    retryable = True


class UnknownCall(NotFound):
    """The call is not on record."""

    code = "metering.unknown_call"


class TooManyGroups(Invalid):
    """The usage falls into too many groups."""

    code = "metering.too_many_groups"
