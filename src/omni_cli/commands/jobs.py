"""`omni jobs`."""

from typing import Annotated, Any
from uuid import UUID

import typer

from omni_cli.jsonform import as_json
from omni_cli.options import ROWS, Cursor, Json, Limit, Tenant, commands, examples
from omni_cli.output import Column, print_record, print_rows
from omni_cli.session import for_tenant
from omni_core.domain.jobs.api import Job, JobProgress, JobStatus
from omni_core.domain.kernel.pages import PageRequest

jobs = commands("Jobs: work that a worker does, such as closing a month.")

_JOB: list[Column[Job]] = [
    Column("kind", lambda job: job.kind),
    Column("status", lambda job: "stopping" if job.cancel_requested else job.status),
    Column("progress", lambda job: _written(job.progress), wraps=True),
    Column("attempt", lambda job: f"{job.attempts} of {job.max_attempts}"),
    Column("queued", lambda job: job.created_at),
    Column("ended", lambda job: job.finished_at),
    Column("error", lambda job: job.error and f"{job.error.code}: {job.error.detail}", wraps=True),
    Column("id", lambda job: job.id),
]
_DETAILS: list[Column[Job]] = [
    *_JOB,
    Column("arguments", lambda job: _pairs(job.arguments)),
    Column("result", lambda job: _pairs(job.result or {})),
    Column("asked by", lambda job: job.requested_by),
]
_EXAMPLE_ID = "01234567-89ab-7def-8123-456789abcdef"
JobId = Annotated[UUID, typer.Argument(metavar="JOB", help="The job's id.")]


@jobs.command(
    "list", epilog=examples("omni jobs list --tenant demo", "omni jobs list --tenant demo --status failed --json")
)
def list_jobs(
    tenant: Tenant = None,
    status: Annotated[JobStatus | None, typer.Option(help="Of one status only.")] = None,
    limit: Limit = ROWS,
    cursor: Cursor = None,
    json: Json = False,
) -> None:
    """List a tenant's jobs, newest first."""
    page = for_tenant(tenant, lambda omni, operator: omni.jobs.list(operator, PageRequest(limit, cursor), status))
    print_rows(page.items, _JOB, json=json, next_cursor=page.next_cursor)


@jobs.command("show", epilog=examples(f"omni jobs show {_EXAMPLE_ID} --tenant demo"))
def show_job(job_id: JobId, tenant: Tenant = None, json: Json = False) -> None:
    """Show a job with its arguments and its result."""
    print_job(for_tenant(tenant, lambda omni, operator: omni.jobs.get(operator, job_id)), json=json)


@jobs.command("cancel", epilog=examples(f"omni jobs cancel {_EXAMPLE_ID} --tenant demo"))
def cancel_job(job_id: JobId, tenant: Tenant = None, json: Json = False) -> None:
    """End a job that waits, or ask one that runs to stop."""
    print_job(for_tenant(tenant, lambda omni, operator: omni.jobs.cancel(operator, job_id)), json=json)


@jobs.command("retry", epilog=examples(f"omni jobs retry {_EXAMPLE_ID} --tenant demo"))
def retry_job(job_id: JobId, tenant: Tenant = None, json: Json = False) -> None:
    """Queue a failed or cancelled job again."""
    print_job(for_tenant(tenant, lambda omni, operator: omni.jobs.retry(operator, job_id)), json=json)


def print_job(job: Job, *, json: bool) -> None:
    """Print one job with everything that is known of it."""
    print_record(job, _DETAILS, json=json)


def _written(progress: JobProgress | None) -> str | None:
    if progress is None:
        return None
    return f"{progress.current}/{progress.total} {progress.message}".strip()


def _pairs(values: dict[str, Any]) -> str:
    return " ".join(f"{name}={as_json(value)}" for name, value in values.items())
