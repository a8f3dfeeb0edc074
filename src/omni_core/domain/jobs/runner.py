"""Runs one job: begins it, calls its handler with no transaction open, and stores how it went."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

import msgspec

from omni_core.domain.jobs.errors import JobStopped, Superseded, UnknownJob, UnknownKind
from omni_core.domain.jobs.handling import JobContext, JobHandler
from omni_core.domain.jobs.model import Job
from omni_core.domain.jobs.ports import JobQueue, JobStore
from omni_core.domain.jobs.values import Delivery, JobFailure, JobProgress, JobStatus, json_object
from omni_core.domain.kernel.backoff import Backoff
from omni_core.domain.kernel.clock import Clock
from omni_core.domain.kernel.events import Event
from omni_core.domain.kernel.uow import UnitOfWork

Settle = Callable[[Job], list[Event]]


class Ending(StrEnum):
    """How a delivery ended."""

    SUCCEEDED = "succeeded"
    RETRIED = "retried"
    FAILED = "failed"
    CANCELLED = "cancelled"
    SUPERSEDED = "superseded"
    VOID = "void"


class Run(msgspec.Struct, frozen=True):
    """What became of a delivery; `job` is None where there was none to run. `cause` is for the log, not for tenants."""

    ending: Ending
    job: Job | None = None
    cause: Exception | None = None


_ENDINGS = {
    JobStatus.SUCCEEDED: Ending.SUCCEEDED,
    JobStatus.QUEUED: Ending.RETRIED,
    JobStatus.FAILED: Ending.FAILED,
    JobStatus.CANCELLED: Ending.CANCELLED,
}


class JobRunner:
    """Turns a delivery into an attempt at its job. `worth_retrying` says which errors may pass by themselves."""

    def __init__(
        self,
        uow: UnitOfWork,
        store: JobStore,
        queue: JobQueue,
        clock: Clock,
        handlers: Mapping[str, JobHandler[Any]],
        *,
        worth_retrying: Callable[[Exception], bool],
        backoff: Backoff | None = None,
    ) -> None:
        self._uow = uow
        self._store = store
        self._queue = queue
        self._clock = clock
        self._handlers = handlers
        self._worth_retrying = worth_retrying
        self._backoff = backoff or Backoff()

    async def run(self, delivery: Delivery) -> Run:
        """Run the job that a message names, once more at most; what its handler raises is stored, not raised.

        Raises where the store fails, and `UnknownStatus` where only a later release's worker can tell what to do: then
        nothing is settled, and the message has to come again.
        """
        job = await self._begin(delivery)
        if job is None:
            return Run(Ending.VOID)
        if job.status is not JobStatus.RUNNING:
            return Run(_ENDINGS[job.status], job)
        context = JobContext(job, lambda progress: self._report(job, progress), self._clock)
        try:
            result = await self._handle(job, context)
        except Superseded as error:
            return Run(Ending.SUPERSEDED, job, error)
        except Exception as error:  # noqa: BLE001 - whatever a handler raises is that job's failure, not the worker's
            return await self._failed(job, context, error)
        return await self._settle(job, context, lambda current: current.succeed(result, self._clock.now()))

    async def _begin(self, delivery: Delivery) -> Job | None:
        async with self._uow(delivery.tenant_id) as tx:
            try:
                job = await self._store.lock(tx, delivery.job_id)
            except UnknownJob:
                return None
            if not job.accepts(delivery):
                return None
            events = job.begin(self._clock.now())
            await self._store.save(tx, job)
            await tx.record(*events)
        return job

    async def _handle(self, job: Job, context: JobContext) -> dict[str, Any] | None:
        handler = self._handlers.get(job.kind)
        if handler is None:
            raise UnknownKind(f"no worker knows jobs of the kind {job.kind}", kind=job.kind)
        result = await handler(context, job.arguments)
        return None if result is None else json_object(result, "result")

    async def _report(self, job: Job, progress: JobProgress) -> None:
        async with self._uow(job.tenant_id) as tx:
            current = await self._store.lock(tx, job.id)
            current.report(job.attempts, progress)
            await self._store.save(tx, current)

    async def _failed(self, job: Job, context: JobContext, error: Exception) -> Run:
        wait = self._backoff.after(job.attempts)
        again = not isinstance(error, JobStopped) and self._worth_retrying(error)

        def fail(current: Job) -> list[Event]:
            now = self._clock.now()
            return current.fail(JobFailure.of(error), now, retry_at=now + wait if again else None)

        return await self._settle(job, context, fail, error)

    async def _settle(self, job: Job, context: JobContext, change: Settle, cause: Exception | None = None) -> Run:
        async with self._uow(job.tenant_id) as tx:
            current = await self._store.lock(tx, job.id)
            try:
                current.check_current(job.attempts)
            except Superseded as error:
                return Run(Ending.SUPERSEDED, current, cause or error)
            current.progress = context.latest or current.progress
            events = change(current)
            await self._store.save(tx, current)
            if current.status is JobStatus.QUEUED:
                await self._queue.enqueue(tx, current, self._backoff.after(current.attempts))
            await tx.record(*events)
        return Run(_ENDINGS[current.status], current, cause)
