"""Jobs in memory: the store, and a queue that its owner drains."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

import msgspec

from omni_core.adapters.memory.database import MemoryDatabase, memory_tx
from omni_core.domain.jobs.errors import UnknownJob
from omni_core.domain.jobs.model import Job
from omni_core.domain.jobs.values import Delivery, JobStatus
from omni_core.domain.kernel.uow import Transaction

T = TypeVar("T")


class MemoryJobStore:
    """The port `JobStore`."""

    async def add(self, tx: Transaction, job: Job) -> Job | None:
        """Store a new job, or return the one that holds its key."""
        if job.idempotency_key is not None:
            key = (job.kind, job.idempotency_key)
            for other in memory_tx(tx).find("job", lambda other: (other.kind, other.idempotency_key) == key):
                held: Job = other
                return held
        memory_tx(tx).put("job", job.id, job)
        return None

    async def get(self, tx: Transaction, job_id: UUID) -> Job:
        """Return a job."""
        job: Job = memory_tx(tx).one("job", job_id, UnknownJob(job_id=str(job_id)))
        return job

    async def lock(self, tx: Transaction, job_id: UUID) -> Job:
        """Return a job; a memory transaction holds the tenant's lock anyway."""
        return await self.get(tx, job_id)

    async def save(self, tx: Transaction, job: Job) -> None:
        """Store what has changed."""
        memory_tx(tx).put("job", job.id, job)

    async def list(self, tx: Transaction, limit: int, before: UUID | None, status: JobStatus | None) -> Sequence[Job]:
        """Return jobs, newest first."""
        return memory_tx(tx).newest("job", limit, before, lambda job: status is None or job.status == status)

    async def lock_open(self, tx: Transaction, requested_by: str, limit: int, after: UUID | None) -> Sequence[Job]:
        """Return jobs of one requester that are not over, oldest first."""
        jobs = sorted(memory_tx(tx).rows("job").values(), key=lambda job: job.id)
        theirs = [job for job in jobs if job.requested_by == requested_by and not job.is_over]
        return [job for job in theirs if after is None or job.id > after][:limit]


class _Message(msgspec.Struct, frozen=True):
    id: UUID
    delivery: Delivery
    due_at: datetime


class MemoryJobQueue:
    """The port `JobQueue`, without a worker: nothing runs until `run_pending` is called."""

    def __init__(self, database: MemoryDatabase) -> None:
        self._database = database

    async def enqueue(self, tx: Transaction, job: Job, delay: timedelta = timedelta()) -> None:
        """Keep a message, as part of the transaction."""
        message = _Message(self._database.ids.new(), job.delivery, self._database.clock.now() + delay)
        memory_tx(tx).put("job_message", message.id, message)

    async def run_pending(self, run: Callable[[Delivery], Awaitable[T]]) -> list[T]:
        """Hand every message that is due to `run`, one after the other, until none is; return what `run` returned.

        Messages that `run` itself causes are handed over too, once they are due. One that is handed over is gone.
        """
        results = []
        while (message := self._next()) is not None:
            async with self._database.begin(message.delivery.tenant_id) as tx:
                mine = tx.delete("job_message", message.id)
            if mine:
                results.append(await run(message.delivery))
        return results

    def _next(self) -> _Message | None:
        now = self._database.clock.now()
        due = self._database.every("job_message", lambda message: message.due_at <= now)
        return min(due, key=lambda message: (message.due_at, message.id), default=None)
