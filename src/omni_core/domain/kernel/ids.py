"""Identifiers: UUID version 7, so that primary keys sort by time and indexes grow at one end."""

from typing import Protocol
from uuid import UUID

from omni_core.domain.kernel.errors import InvalidValue

_MAX_RANDOM = 1 << 74


class Ids(Protocol):
    """The source of new identifiers; time and entropy come from outside the domain."""

    def new(self) -> UUID:
        """Return an identifier that no other call, in any process, has returned."""
        ...


class Entropy(Protocol):
    """A cryptographically strong source of random bytes."""

    def token(self, size: int) -> bytes:
        """Return `size` unpredictable bytes."""
        ...


def uuid7(unix_ms: int, random: int) -> UUID:
    """Lay out a UUIDv7 (RFC 9562, section 5.7) from milliseconds since 1970 and 74 random bits."""
    if not 0 <= unix_ms < 1 << 48 or not 0 <= random < _MAX_RANDOM:
        raise ValueError("uuid7 takes 48 bits of milliseconds and 74 bits of randomness")
    high = random >> 62
    low = random & ((1 << 62) - 1)
    return UUID(int=unix_ms << 80 | 0x7 << 76 | high << 64 | 0b10 << 62 | low)


def parse_id(value: str, field: str) -> UUID:
    """Read an identifier that somebody typed; raise `InvalidValue` that names `field`."""
    try:
        return UUID(value)
    except ValueError as error:
        raise InvalidValue(f"{field} must be a UUID", field=field, allowed="a UUID") from error
