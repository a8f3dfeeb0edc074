"""The end of the server's patience with calls under way, and how they learn of it."""

from collections.abc import Mapping
from typing import Any

from omni_http.refusals import ServerStopping

ENDING = "ending"
"""The key of the server's `Ending` in every scope's state."""
# Where a client is best advised to try again, another server answers, or this one's successor does.
_AGAIN_IN_S = 1


class Ending:
    """Of one server. Once `is_over`, its calls are cancelled, and each tells its client so."""

    is_over = False


def is_cut_off(scope: Mapping[str, Any]) -> bool:
    """Tell, on a cancellation, whether it is the server that has no more time for the request."""
    ending: Ending | None = scope.get("state", {}).get(ENDING)
    return ending is not None and ending.is_over


def cut_off() -> ServerStopping:
    """Return what a client is told then."""
    return ServerStopping("the server stops and could not wait for the end of this call", retry_after_s=_AGAIN_IN_S)
