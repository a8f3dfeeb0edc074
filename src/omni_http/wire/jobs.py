"""Jobs over the wire."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta

from omni_core.domain.jobs.api import (
    Job,
    JobFailure,
    JobKeyText,
    JobKindText,
    JobProgress,
)


class SubmitJob(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Work to queue. A second submission under one `idempotency_key` returns the first one's job."""

    kind: Annotated[JobKindText, Meta(examples=["billing.close"])]
    arguments: dict[str, Any] = {}
    idempotency_key: JobKeyText | None = None


class JobView(msgspec.Struct, frozen=True):
    """A job."""

    id: UUID
    kind: str
    status: str
    arguments: dict[str, Any]
    attempts: int
    max_attempts: int
    progress: JobProgress | None
    result: dict[str, Any] | None
    error: JobFailure | None
    requested_by: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @classmethod
    def of(cls, job: Job) -> "JobView":
        """Return a job for the wire."""
        return cls(**{name: getattr(job, name) for name in cls.__struct_fields__})
