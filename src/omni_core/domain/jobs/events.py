"""What happened to jobs."""

from typing import ClassVar
from uuid import UUID

from omni_core.domain.kernel.events import Event


class JobQueued(Event, frozen=True):
    """A job was queued, for the first time or again by somebody's wish."""

    event_type: ClassVar[str] = "jobs.job_queued"
    aggregate: ClassVar[str] = "job_id"
    job_id: UUID
    kind: str


class JobStarted(Event, frozen=True):
    """A worker began an attempt; `attempt` counts from 1."""

    event_type: ClassVar[str] = "jobs.job_started"
    aggregate: ClassVar[str] = "job_id"
    job_id: UUID
    kind: str
    attempt: int


class JobRetried(Event, frozen=True):
    """An attempt failed, with the error `code`, and another one will follow."""

    event_type: ClassVar[str] = "jobs.job_retried"
    aggregate: ClassVar[str] = "job_id"
    job_id: UUID
    kind: str
    attempt: int
    code: str


class JobSucceeded(Event, frozen=True):
    """A job is done."""

    event_type: ClassVar[str] = "jobs.job_succeeded"
    aggregate: ClassVar[str] = "job_id"
    job_id: UUID
    kind: str


class JobFailed(Event, frozen=True):
    """A job failed for good, with the error `code`."""

    event_type: ClassVar[str] = "jobs.job_failed"
    aggregate: ClassVar[str] = "job_id"
    job_id: UUID
    kind: str
    code: str


class JobCancelled(Event, frozen=True):
    """A job was cancelled, before it was begun or on the way."""

    event_type: ClassVar[str] = "jobs.job_cancelled"
    aggregate: ClassVar[str] = "job_id"
    job_id: UUID
    kind: str
