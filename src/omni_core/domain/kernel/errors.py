"""The few kinds of error, and the base of every error that Omni raises on purpose.

A leaf is a class in its context's ``errors.py``: its docstring is the title that people read, ``code`` is the stable
name that programs match on and that ``docs/problems/`` documents. Each shell has one table from kind to its own status.
"""

from enum import StrEnum
from typing import Any, ClassVar


class Kind(StrEnum):
    """What went wrong, as far as a caller needs to know to react."""

    INVALID = "invalid"
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    PRECONDITION = "precondition"
    QUOTA = "quota"
    UNSUPPORTED = "unsupported"
    DEPENDENCY = "dependency"
    INTERNAL = "internal"


class OmniError(Exception):
    """Something inside Omni failed in a way nobody foresaw."""

    kind: ClassVar[Kind] = Kind.INTERNAL
    code: ClassVar[str] = "internal"
    retryable: ClassVar[bool] = False

    def __init__(self, detail: str | None = None, /, **fields: Any) -> None:
        """Keep `detail`, a sentence for people, and `fields`, JSON-able facts for programs; neither holds a secret."""
        super().__init__(detail or self.title())
        self.detail = detail or self.title()
        self.fields = fields

    @classmethod
    def title(cls) -> str:
        """Return the first line of the leaf's docstring, without its full stop."""
        return (cls.__doc__ or cls.__name__).strip().splitlines()[0].rstrip(".")


class Invalid(OmniError):
    """The input is not valid."""

    kind = Kind.INVALID
    code = "invalid"


class Unauthenticated(OmniError):
    """The caller has not proved who it is."""

    kind = Kind.UNAUTHENTICATED
    code = "unauthenticated"


class Forbidden(OmniError):
    """The caller may not do this."""

    kind = Kind.FORBIDDEN
    code = "forbidden"


class NotFound(OmniError):
    """There is no such thing here."""

    kind = Kind.NOT_FOUND
    code = "not_found"


class Conflict(OmniError):
    """The request conflicts with what is stored."""

    kind = Kind.CONFLICT
    code = "conflict"


class Precondition(OmniError):
    """Something has to be done first."""

    kind = Kind.PRECONDITION
    code = "precondition"


class Quota(OmniError):
    """A limit is used up."""

    kind = Kind.QUOTA
    code = "quota"


class Unsupported(OmniError):
    """This is not supported here."""

    kind = Kind.UNSUPPORTED
    code = "unsupported"


class DependencyFailed(OmniError):
    """Something that Omni depends on failed."""

    kind = Kind.DEPENDENCY
    code = "dependency"


class MissingScope(Forbidden):
    """The caller lacks the scope that this needs."""

    code = "kernel.missing_scope"


class InvalidValue(Invalid):
    """A field holds a value that is not allowed."""

    code = "kernel.invalid_value"


class InvalidCursor(Invalid):
    """The page cursor was not made by this server."""

    code = "kernel.invalid_cursor"
