"""Whether the server lives and can work, and what it counts."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from litestar import Controller, Response, get
from litestar.params import FromPath

from omni_core import OmniError, __version__
from omni_http.problems import Problem, explain, status_of
from omni_http.services import PublicRequest, metrics_of, omni_of


class Health(msgspec.Struct, frozen=True):
    """The server's state; `failing` names what does not work.

    `clock_skew_s` is by how many seconds this machine's clock is ahead of the database's, null where that is not known.
    """

    status: str
    version: str = __version__
    failing: list[str] = []
    clock_skew_s: float | None = None


class HealthController(Controller):
    """For load balancers and people."""

    tags: Sequence[str] | None = ["health"]
    opt: Mapping[str, Any] | None = {"public": True}

    @get(["/health/live", "/api/health/live", "/api/v1/health/live"])
    async def live(self) -> Health:
        """Tell that the process answers; asks nobody else."""
        return Health("live")

    @get(
        ["/health", "/health/ready", "/api/health", "/api/health/ready", "/api/v1/health", "/api/v1/health/ready"],
        responses={},
    )
    async def ready(self, request: PublicRequest) -> Response[Health]:
        """Tell whether requests can be served; 503 names the part that fails."""
        try:
            await omni_of(request).ready()
        except OmniError as error:
            return Response(Health("not_ready", failing=[error.code]), status_code=status_of(error))
        return Response(Health("ready", clock_skew_s=omni_of(request).clock_skew_s))

    @get("/metrics", media_type="text/plain; version=0.0.4")
    async def metrics(self, request: PublicRequest) -> bytes:
        """Show the counters of this process in Prometheus' text format."""
        metrics = metrics_of(request)
        metrics.clock_skew(omni_of(request).clock_skew_s)
        return metrics.exposition()

    @get("/api/problems/{code:str}")
    async def problem(self, code: FromPath[str]) -> Problem:
        """Explain the problem of this code."""
        return explain(code)
