"""What the endpoints find in the application's state and in a request's."""

from collections.abc import Mapping
from typing import Any

from litestar import Request
from litestar.datastructures import State as LitestarState

from omni_core import Omni, Principal
from omni_core.adapters.telemetry.metrics import Metrics


class State(LitestarState):
    """The opened Omni, and the counters of this process."""

    omni: Omni
    metrics: Metrics


PublicRequest = Request[Any, Any, State]
KeyedRequest = Request[Principal, Any, State]
REQUEST_ID = "request_id"
PROBLEM = "problem"
"""Where a request's state has the code of the problem that it is answered with."""


def request_id_of(scope: Mapping[str, Any]) -> str:
    """Return the id that the outermost layer gave to the request."""
    request_id: str = scope.get("state", {}).get(REQUEST_ID, "")
    return request_id


def omni_of(request: Request[Any, Any, State]) -> Omni:
    """Return the opened Omni."""
    omni: Omni = request.app.state.omni
    return omni


def metrics_of(request: Request[Any, Any, State]) -> Metrics:
    """Return the counters of this process."""
    metrics: Metrics = request.app.state.metrics
    return metrics
