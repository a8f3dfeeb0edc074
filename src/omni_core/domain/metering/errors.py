"""What goes wrong with usage."""

from omni_core.domain.kernel.errors import Invalid


class InvalidUsage(Invalid):
    """The usage is not valid."""

    code = "metering.invalid_usage"
