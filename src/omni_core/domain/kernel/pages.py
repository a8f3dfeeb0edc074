"""Pages that stay right while rows are added: the cursor is the last row's key, not a count of rows."""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar
from uuid import UUID

import msgspec

from omni_core.domain.kernel.errors import InvalidCursor, InvalidValue

T = TypeVar("T")
DEFAULT_LIMIT = 50
MAX_LIMIT = 500
_CURSOR_HELP = "cursor must be a next_cursor of an earlier page"


class PageRequest(msgspec.Struct, frozen=True):
    """Which page is wanted: `limit` rows (1 to 500) after `cursor`, newest first where a listing says nothing else."""

    limit: int = DEFAULT_LIMIT
    cursor: str | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.limit <= MAX_LIMIT:
            raise InvalidValue(f"limit must be from 1 to {MAX_LIMIT}", field="limit", allowed=f"1 to {MAX_LIMIT}")

    @property
    def after(self) -> UUID | None:
        """The key of the last row that the caller has seen; raise `InvalidCursor` if Omni did not make the cursor."""
        if self.cursor is None:
            return None
        try:
            key = UUID(bytes=base64.urlsafe_b64decode(self.cursor + "=="))
        except (ValueError, binascii.Error) as error:
            raise InvalidCursor(_CURSOR_HELP, field="cursor") from error
        # base64 passes over characters that are not its own.
        if encode_cursor(key) != self.cursor:
            raise InvalidCursor(_CURSOR_HELP, field="cursor")
        return key


class Page(msgspec.Struct, Generic[T], frozen=True):
    """Some rows, and the cursor of the page after them, or None where this is the last."""

    items: tuple[T, ...]
    next_cursor: str | None = None


def encode_cursor(key: UUID) -> str:
    """Return the opaque cursor of the row with this key."""
    return base64.urlsafe_b64encode(key.bytes).decode().rstrip("=")


def page_of(rows: Sequence[T], limit: int, key: Callable[[T], UUID]) -> Page[T]:
    """Make a page of up to `limit` rows from a listing that was asked for `limit` + 1."""
    shown = tuple(rows[:limit])
    more = len(rows) > limit
    return Page(shown, encode_cursor(key(shown[-1])) if more else None)
