"""What goes wrong with prices."""

from omni_core.domain.kernel.errors import Conflict, Invalid, Precondition


class InvalidPrice(Invalid):
    """The price is not valid."""

    code = "pricing.invalid_price"


class PriceInThePast(Conflict):
    """A price cannot begin in the past of a model that has been priced."""

    code = "pricing.price_in_the_past"


class PriceExists(Conflict):
    """The model has a price from that moment already."""

    code = "pricing.price_exists"


class NoPrice(Precondition):
    """The model has no price yet."""

    code = "pricing.no_price"
