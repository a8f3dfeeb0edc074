"""Why PostgreSQL could not be connected to, in words by which an operator finds the cause; never the password."""

import os
from urllib.parse import parse_qs, urlsplit

import asyncpg
from sqlalchemy.exc import DBAPIError

from omni_core.domain.kernel.errors import DependencyFailed, OmniError, Precondition

_DEFAULT_PORT = 5432
_MENDED_BY_SOMEBODY = (
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidPasswordError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.InsufficientPrivilegeError,
    asyncpg.InvalidParameterValueError,
)


class DatabaseUnavailable(DependencyFailed):
    """PostgreSQL cannot be reached."""

    code = "postgres.unavailable"
    retryable = True


class TakesTooLong(DependencyFailed):
    """A statement took too long, or waited too long for another transaction."""

    code = "postgres.takes_too_long"
    retryable = True


class Refused(Precondition):
    """PostgreSQL answers and does not let Omni in."""

    code = "postgres.refused"


def not_connected(url: str, error: BaseException, *, setting: str, hint: str = "") -> OmniError:
    """Return the error for a connection to `url`, which `setting` gave, that failed for `error`.

    It is `Refused` where trying again is of no use, as with a wrong password, else `DatabaseUnavailable`.
    """
    cause = _cause(error)
    kind = Refused if isinstance(cause, _MENDED_BY_SOMEBODY) else DatabaseUnavailable
    said = f"cannot connect to PostgreSQL at {place(url)} ({setting}): {_told(cause)}"
    return kind(f"{said}; {hint}" if hint else said)


def place(url: str) -> str:
    """Return host, port, database and user of a URL in words."""
    parts = urlsplit(url)
    query = parse_qs(parts.query)
    host = parts.hostname or query.get("host", ["localhost"])[0]
    port = parts.port or query.get("port", [_DEFAULT_PORT])[0]
    user = parts.username or query.get("user", ["nobody in particular"])[0]
    return f"{host}:{port}, database {parts.path.lstrip('/') or user!s}, as {user}"


def _cause(error: BaseException) -> BaseException:
    if isinstance(error, DBAPIError) and error.orig is not None:
        # SQLAlchemy wraps what the driver raised, and its wrapper has the driver's error as its cause.
        return error.orig.__cause__ or error.orig
    return error


def _told(cause: BaseException) -> str:
    if isinstance(cause, TimeoutError):
        return "no answer in time"
    if isinstance(cause, ConnectionError) and cause.errno:
        return os.strerror(cause.errno)  # asyncio's own words repeat the address
    if isinstance(cause, OSError):
        return cause.strerror or str(cause) or type(cause).__name__
    return f"{type(cause).__name__}: {str(cause).partition(chr(10))[0]}"
