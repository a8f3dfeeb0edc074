"""What is said of a request's line and headers that are beyond the limits."""

from collections.abc import Sequence

from omni_core.bootstrap.settings.http import HttpSettings
from omni_http.refusals import HeadersTooLarge, TargetTooLong

# ": " and the end of the line.
_AROUND_A_FIELD = 4
_H2C = b"h2c"


def size_of(headers: Sequence[tuple[bytes, bytes]]) -> int:
    """Return the bytes that headers have on the wire, or a few less."""
    return sum(len(name) + len(value) + _AROUND_A_FIELD for name, value in headers)


def too_long(limits: HttpSettings) -> TargetTooLong:
    """Return the refusal of a path and query."""
    limit = limits.target_bytes
    return TargetTooLong(f"the path and query have more than {limit:,} bytes", limit_bytes=limit)


def too_many(limits: HttpSettings) -> HeadersTooLarge:
    """Return the refusal of one header more."""
    limit = limits.header_fields
    return HeadersTooLarge(f"there are more than {limit:,} headers", limit=limit)


def too_large(limits: HttpSettings) -> HeadersTooLarge:
    """Return the refusal of headers by their size, whatever else would come."""
    limit = limits.header_bytes
    return HeadersTooLarge(f"the headers have more than {limit:,} bytes", limit_bytes=limit)


def too_much_around(limits: HttpSettings) -> HeadersTooLarge:
    """Return the refusal of a body of which there is too little in what is sent."""
    limit = limits.header_bytes
    return HeadersTooLarge(
        f"the body's chunk extensions and trailers have more than {limit:,} bytes", limit_bytes=limit
    )


def is_passed_over(method: bytes, headers: Sequence[tuple[bytes, bytes]]) -> bool:
    """Tell whether an upgrade is an offer of HTTP/2 without a body, as Java's own client makes it.

    The parser takes the body of any other for what follows the upgrade.
    """
    offers = [value.strip().lower() for name, value in headers if name == b"upgrade"]
    has_body = any(
        name == b"transfer-encoding" or (name == b"content-length" and value.strip() != b"0") for name, value in headers
    )
    return offers == [_H2C] and not has_body and method != b"CONNECT"
