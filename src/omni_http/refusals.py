"""What the server refuses or breaks off by itself, before an endpoint is asked or while one works."""

from collections.abc import Mapping
from typing import Any

from omni_core.domain.kernel.errors import DependencyFailed, Invalid, OmniError, Precondition, Quota, Unsupported

REFUSAL = "refusal"
"""The key in a scope's state under which stands why the rest of a body is not waited for."""


class MalformedRequest(Invalid):
    """What was sent is not HTTP/1.1."""

    code = "http.malformed_request"


class TargetTooLong(Invalid):
    """The path and query are too long."""

    code = "http.target_too_long"


class HeadersTooLarge(Invalid):
    """The headers are too large."""

    code = "http.headers_too_large"


class RequestTimedOut(Invalid):
    """The request did not come in time."""

    code = "http.request_timed_out"
    retryable = True


class TooManyConnections(Quota):
    """The address has too many connections."""

    code = "http.too_many_connections"


class UpgradeNotOffered(Unsupported):
    """The server speaks HTTP/1.1 alone."""

    code = "http.upgrade_not_offered"


class ClientLeft(Invalid):
    """The client left before its request had come."""

    code = "http.client_left"


class ServerStopping(DependencyFailed):
    """The server stops, and has cut the call off."""

    code = "http.server_stopping"
    retryable = True


class PortTaken(Precondition):
    """The address to listen on cannot be had."""

    code = "http.port_taken"


def why_left(scope: Mapping[str, Any]) -> OmniError:
    """Return why the rest of a request's body does not come: it was refused, or the client has gone."""
    refusal: OmniError | None = scope.get("state", {}).get(REFUSAL)
    return refusal or ClientLeft()
