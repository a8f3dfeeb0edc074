"""Money, times and pages as they go over the wire."""

from collections.abc import Callable
from typing import Annotated, Generic, TypeVar

import msgspec
from litestar.params import QueryParameter

from omni_core import Money, Page
from omni_core.domain.kernel.money import Picos, format_picos
from omni_core.domain.kernel.pages import MAX_LIMIT

T = TypeVar("T")
U = TypeVar("U")
# Documented, not checked here: the domain refuses what is no month or moment, and says why.
MONTH_PATTERN = r"^(?!0000|9999)[0-9]{4}-(0[1-9]|1[0-2])$"
MOMENT_PATTERN = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?(Z|[+-][0-9]{2}:[0-9]{2}))?$"
Limit = Annotated[int, QueryParameter(name="limit", ge=1, le=MAX_LIMIT, description="Rows a page.")]
Cursor = Annotated[str | None, QueryParameter(name="cursor", description="`next_cursor` of the page before.")]


class Amount(msgspec.Struct, frozen=True):
    """Money that can be paid: `value` in major units, exactly, and the same in `minor` units.

    `value` is null where the currency is one that this release does not know.
    """

    value: str | None
    currency: str
    minor: int

    @classmethod
    def of(cls, money: Money) -> "Amount":
        """Return `money` for the wire."""
        return cls(money.major, money.currency, money.minor)


class Cost(msgspec.Struct, frozen=True):
    """An exact, unrounded amount in major units."""

    value: str
    currency: str

    @classmethod
    def of(cls, picos: Picos, currency: str) -> "Cost":
        """Return an amount of 10⁻¹² of a major unit for the wire."""
        return cls(format_picos(picos), currency)


class Listing(msgspec.Struct, Generic[T], frozen=True):
    """A page: `next_cursor` fetches the one after it, and is null on the last."""

    items: list[T]
    next_cursor: str | None = None


def listing(page: Page[T], shown: Callable[[T], U]) -> Listing[U]:
    """Return a page for the wire, each row as `shown` makes it."""
    return Listing([shown(row) for row in page.items], page.next_cursor)
