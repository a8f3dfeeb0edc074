"""What jobs need from outside."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol
from uuid import UUID

from omni_core.domain.jobs.model import Job
from omni_core.domain.jobs.values import JobStatus
from omni_core.domain.kernel.uow import Transaction


class JobStore(Protocol):
    """Jobs of the transaction's tenant."""

    async def add(self, tx: Transaction, job: Job) -> Job | None:
        """Store a new job; where its kind and idempotency key are taken, store nothing and return that job, locked."""
        ...

    async def get(self, tx: Transaction, job_id: UUID) -> Job:
        """Return a job; raise `UnknownJob`."""
        ...

    async def lock(self, tx: Transaction, job_id: UUID) -> Job:
        """Return a job and keep others from changing it; raise `UnknownJob`."""
        ...

    async def save(self, tx: Transaction, job: Job) -> None:
        """Store what has changed of a job that was locked."""
        ...

    async def list(self, tx: Transaction, limit: int, before: UUID | None, status: JobStatus | None) -> Sequence[Job]:
        """Return up to `limit` jobs older than `before`, newest first; of one status, where one is given."""
        ...

    async def lock_open(self, tx: Transaction, requested_by: str, limit: int, after: UUID | None) -> Sequence[Job]:
        """Return up to `limit` jobs of one requester that are not over, younger than `after`, oldest first, locked."""
        ...


class JobQueue(Protocol):
    """The way to the workers. At least once: a message comes again where a worker ended before it was done with it."""

    async def enqueue(self, tx: Transaction, job: Job, delay: timedelta = timedelta()) -> None:
        """Have `job.delivery` handed to a worker, `delay` after this transaction commits; never if it rolls back."""
        ...
