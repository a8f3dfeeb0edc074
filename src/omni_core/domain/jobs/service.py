"""Jobs: the use cases."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from omni_core.domain.jobs.errors import KeyReused
from omni_core.domain.jobs.model import DEFAULT_ATTEMPTS, Job
from omni_core.domain.jobs.ports import JobQueue, JobStore
from omni_core.domain.jobs.values import JobStatus, json_object
from omni_core.domain.kernel.clock import Clock
from omni_core.domain.kernel.ids import Ids
from omni_core.domain.kernel.pages import Page, PageRequest, page_of
from omni_core.domain.kernel.stored import check_word
from omni_core.domain.kernel.tenancy import Principal, Scope
from omni_core.domain.kernel.uow import Transaction, UnitOfWork


class Jobs:
    """Queue jobs, look at them, cancel them, queue failed ones again."""

    def __init__(self, uow: UnitOfWork, store: JobStore, queue: JobQueue, clock: Clock, ids: Ids) -> None:
        self._uow = uow
        self._store = store
        self._queue = queue
        self._clock = clock
        self._ids = ids

    async def enqueue(
        self,
        tx: Transaction,
        principal: Principal,
        kind: str,
        arguments: Mapping[str, Any],
        *,
        idempotency_key: str | None = None,
        max_attempts: int = DEFAULT_ATTEMPTS,
    ) -> Job:
        """Queue a job in the transaction of the change that wants it; whether the caller may is that use case's to say.

        The same kind and key find the job that is there, whatever became of it; one that failed or was cancelled is
        queued again. The job runs with the scopes of `principal`. Raises `InvalidJob`, `InvalidArguments`, or
        `KeyReused` where the job that is there has other arguments.
        """
        if tx.tenant_id != principal.tenant_id:
            raise ValueError("the transaction is another tenant's")
        now = self._clock.now()
        job = Job(
            id=self._ids.new(),
            tenant_id=principal.tenant_id,
            kind=kind,
            arguments=json_object(arguments, "arguments"),
            requested_by=principal.subject,
            scopes=principal.scopes,
            created_at=now,
            run_after=now,
            idempotency_key=idempotency_key,
            max_attempts=max_attempts,
        )
        there = await self._store.add(tx, job)
        if there is not None:
            return await self._found(tx, principal, there, job)
        await self._queue.enqueue(tx, job)
        await tx.record(job.was_queued())
        return job

    async def submit(
        self,
        principal: Principal,
        kind: str,
        arguments: Mapping[str, Any],
        *,
        idempotency_key: str | None = None,
        max_attempts: int = DEFAULT_ATTEMPTS,
    ) -> Job:
        """Queue a job by itself (jobs:write), as `enqueue` does."""
        principal.require(Scope.JOBS_WRITE)
        async with self._uow(principal.tenant_id) as tx:
            return await self.enqueue(
                tx, principal, kind, arguments, idempotency_key=idempotency_key, max_attempts=max_attempts
            )

    async def get(self, principal: Principal, job_id: UUID) -> Job:
        """Return a job (jobs:read); raise `UnknownJob`."""
        principal.require(Scope.JOBS_READ)
        async with self._uow(principal.tenant_id) as tx:
            return await self._store.get(tx, job_id)

    async def list(self, principal: Principal, page: PageRequest, status: JobStatus | None = None) -> Page[Job]:
        """Return the tenant's jobs, newest first (jobs:read); of one status, where one is given."""
        principal.require(Scope.JOBS_READ)
        if status is not None:
            check_word(JobStatus, status, "status")
        async with self._uow(principal.tenant_id) as tx:
            rows = await self._store.list(tx, page.limit + 1, page.after, status)
        return page_of(rows, page.limit, lambda job: job.id)

    async def cancel(self, principal: Principal, job_id: UUID) -> Job:
        """End a job that waits; ask one that runs to stop (jobs:write). Raises `UnknownJob` or `WrongStatus`."""
        principal.require(Scope.JOBS_WRITE)
        async with self._uow(principal.tenant_id) as tx:
            job = await self._store.lock(tx, job_id)
            events = job.cancel(self._clock.now())
            await self._store.save(tx, job)
            await tx.record(*events)
        return job

    async def retry(self, principal: Principal, job_id: UUID) -> Job:
        """Queue a failed or cancelled job again (jobs:write); raise `UnknownJob` or `WrongStatus`.

        It runs with the scopes of whoever asks for it now.
        """
        principal.require(Scope.JOBS_WRITE)
        async with self._uow(principal.tenant_id) as tx:
            job = await self._store.lock(tx, job_id)
            await self._queue_again(tx, principal, job)
        return job

    async def _found(self, tx: Transaction, principal: Principal, there: Job, wanted: Job) -> Job:
        if there.arguments != wanted.arguments:
            raise KeyReused(
                "a job with this key and other arguments is there already",
                field="idempotency_key",
                job_id=str(there.id),
            )
        if there.status in (JobStatus.FAILED, JobStatus.CANCELLED):
            await self._queue_again(tx, principal, there)
        return there

    async def _queue_again(self, tx: Transaction, principal: Principal, job: Job) -> None:
        events = job.queue_again(principal, self._clock.now())
        await self._store.save(tx, job)
        await self._queue.enqueue(tx, job)
        await tx.record(*events)
