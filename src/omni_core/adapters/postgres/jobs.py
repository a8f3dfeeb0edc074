"""Jobs on PostgreSQL: the store."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa

from omni_core.adapters.postgres import rows
from omni_core.adapters.postgres.tables.jobs import job
from omni_core.adapters.postgres.uow import connection_of
from omni_core.domain.jobs.errors import UnknownJob
from omni_core.domain.jobs.model import Job
from omni_core.domain.jobs.values import JobFailure, JobProgress, JobStatus
from omni_core.domain.kernel.stored import rebuilds, stored
from omni_core.domain.kernel.tenancy import Scope, TenantId
from omni_core.domain.kernel.uow import Transaction

_OPEN = (JobStatus.QUEUED, JobStatus.RUNNING)


class PostgresJobStore:
    """The port `JobStore`."""

    async def add(self, tx: Transaction, new: Job) -> Job | None:
        """Store a new job, or return the one that holds its key, locked."""
        if await rows.added(tx, job, _to_row(new), ["tenant_id", "kind", "idempotency_key"]):
            return None
        key = (job.c.kind == new.kind, job.c.idempotency_key == new.idempotency_key)
        return _from_row(await rows.one(tx, job, UnknownJob(job_id=str(new.id)), *key, lock=True))

    async def get(self, tx: Transaction, job_id: UUID) -> Job:
        """Return a job."""
        return _from_row(await rows.one(tx, job, UnknownJob(job_id=str(job_id)), job.c.id == job_id))

    async def lock(self, tx: Transaction, job_id: UUID) -> Job:
        """Return a job, locked."""
        return _from_row(await rows.one(tx, job, UnknownJob(job_id=str(job_id)), job.c.id == job_id, lock=True))

    async def save(self, tx: Transaction, changed: Job) -> None:
        """Store what has changed."""
        statement = sa.update(job).where(job.c.tenant_id == tx.tenant_id, job.c.id == changed.id)
        await connection_of(tx).execute(statement.values(_to_row(changed)))

    async def list(self, tx: Transaction, limit: int, before: UUID | None, status: JobStatus | None) -> Sequence[Job]:
        """Return jobs, newest first."""
        wanted = [] if status is None else [job.c.status == status]
        return [_from_row(row) for row in await rows.newest(tx, job, limit, before, *wanted)]

    async def lock_open(self, tx: Transaction, requested_by: str, limit: int, after: UUID | None) -> Sequence[Job]:
        """Return jobs of one requester that are not over, oldest first, locked."""
        query = rows.of_tenant(tx, job, job.c.requested_by == requested_by, job.c.status.in_(_OPEN))
        if after is not None:
            query = query.where(job.c.id > after)
        locked = query.order_by(job.c.id).limit(limit).with_for_update(key_share=True)
        return [_from_row(row) for row in await rows.fetched(tx, locked)]


def _to_row(one: Job) -> dict[str, Any]:
    return {
        "tenant_id": one.tenant_id,
        "id": one.id,
        "kind": one.kind,
        "arguments": one.arguments,
        "requested_by": one.requested_by,
        "scopes": sorted(one.scopes),
        "created_at": one.created_at,
        "run_after": one.run_after,
        "idempotency_key": one.idempotency_key,
        "max_attempts": one.max_attempts,
        "status": one.status,
        "ticket": one.ticket,
        "attempts": one.attempts,
        "cancel_requested": one.cancel_requested,
        "progress": msgspec.to_builtins(one.progress),
        "result": one.result,
        "error": msgspec.to_builtins(one.error),
        "started_at": one.started_at,
        "finished_at": one.finished_at,
    }


@rebuilds
def _from_row(row: rows.Row) -> Job:
    return Job(
        id=row["id"],
        tenant_id=TenantId(row["tenant_id"]),
        kind=row["kind"],
        arguments=row["arguments"],
        requested_by=row["requested_by"],
        scopes=frozenset(stored(Scope, scope) for scope in row["scopes"]),
        created_at=row["created_at"],
        run_after=row["run_after"],
        idempotency_key=row["idempotency_key"],
        max_attempts=row["max_attempts"],
        status=stored(JobStatus, row["status"]),
        ticket=row["ticket"],
        attempts=row["attempts"],
        cancel_requested=row["cancel_requested"],
        progress=msgspec.convert(row["progress"], JobProgress | None),
        result=row["result"],
        error=msgspec.convert(row["error"], JobFailure | None),
        started_at=row["started_at"],
        finished_at=row["finished_at"],
    )
