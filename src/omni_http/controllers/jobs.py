"""Jobs."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from litestar import Controller, get, post
from litestar.openapi.spec import Example
from litestar.params import Body, FromPath, QueryParameter

from omni_core import PageRequest
from omni_core.domain.jobs.api import JobStatus
from omni_core.domain.kernel.pages import DEFAULT_LIMIT
from omni_http.amounts import Cursor, Limit, Listing, listing
from omni_http.bodies import body_of
from omni_http.services import KeyedRequest, omni_of
from omni_http.wire.jobs import JobView, SubmitJob

_JOB = Example(value={"kind": "billing.close", "arguments": {"month": "2026-11"}, "idempotency_key": "2026-11"})
_Status = Annotated[JobStatus | None, QueryParameter(name="status", description="Only jobs in this state.")]


class JobsController(Controller):
    """Work that a worker does, with its progress, result or error."""

    path = "/v1/jobs"
    tags: Sequence[str] | None = ["jobs"]

    @post(dto=body_of(SubmitJob), return_dto=None, status_code=202)
    async def submit_job(self, request: KeyedRequest, data: Annotated[SubmitJob, Body(examples=[_JOB])]) -> JobView:
        """Queue work; it may do what the caller may (scope `jobs:write`)."""
        jobs = omni_of(request).jobs
        return JobView.of(
            await jobs.submit(request.user, data.kind, data.arguments, idempotency_key=data.idempotency_key)
        )

    @get()
    async def list_jobs(
        self, request: KeyedRequest, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None, status: _Status = None
    ) -> Listing[JobView]:
        """List the tenant's jobs, newest first (scope `jobs:read`)."""
        return listing(await omni_of(request).jobs.list(request.user, PageRequest(limit, cursor), status), JobView.of)

    @get("/{job_id:uuid}")
    async def get_job(self, request: KeyedRequest, job_id: FromPath[UUID]) -> JobView:
        """Show a job (scope `jobs:read`)."""
        return JobView.of(await omni_of(request).jobs.get(request.user, job_id))

    @post("/{job_id:uuid}/cancel", status_code=200)
    async def cancel_job(self, request: KeyedRequest, job_id: FromPath[UUID]) -> JobView:
        """Cancel a job that waits, or ask one that runs to stop (scope `jobs:write`)."""
        return JobView.of(await omni_of(request).jobs.cancel(request.user, job_id))

    @post("/{job_id:uuid}/retry", status_code=200)
    async def retry_job(self, request: KeyedRequest, job_id: FromPath[UUID]) -> JobView:
        """Queue a job that failed once more (scope `jobs:write`)."""
        return JobView.of(await omni_of(request).jobs.retry(request.user, job_id))
