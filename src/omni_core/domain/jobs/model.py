"""A job, and the only ways in which its status may change."""

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from msgspec import Meta

from omni_core.domain.jobs.errors import CancelRequested, InvalidJob, Superseded, UnknownStatus, WorkerLost, WrongStatus
from omni_core.domain.jobs.events import JobCancelled, JobFailed, JobQueued, JobRetried, JobStarted, JobSucceeded
from omni_core.domain.jobs.values import Delivery, JobFailure, JobProgress, JobStatus
from omni_core.domain.kernel.events import Event
from omni_core.domain.kernel.stored import is_rebuilding
from omni_core.domain.kernel.tenancy import Principal, Scope, TenantId

DEFAULT_ATTEMPTS = 5
MAX_ATTEMPTS = 50
_KIND = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")
JobKindText = Annotated[str, Meta(extra_json_schema={"maxLength": 100, "pattern": f"^{_KIND.pattern}$"})]
JobKeyText = Annotated[str, Meta(extra_json_schema={"minLength": 1, "maxLength": 200})]
_WAITS_OR_RUNS = (JobStatus.QUEUED, JobStatus.RUNNING)
_OVER = (JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.CANCELLED)


@dataclass(slots=True, kw_only=True)
class Job:
    """Work for a worker. It may do what `scopes` allow: those of the caller who queued it, and no others.

    `ticket` counts how often the job was put in the queue: a message with an older ticket is void. `attempts` counts
    how often it was begun: a worker that was taken for dead cannot settle an attempt that is not the last.
    """

    id: UUID
    tenant_id: TenantId
    kind: str
    arguments: dict[str, Any]
    requested_by: str
    scopes: frozenset[Scope]
    created_at: datetime
    run_after: datetime
    idempotency_key: str | None = None
    max_attempts: int = DEFAULT_ATTEMPTS
    status: JobStatus = JobStatus.QUEUED
    ticket: int = 1
    attempts: int = 0
    cancel_requested: bool = False
    progress: JobProgress | None = None
    result: dict[str, Any] | None = field(default=None, repr=False)
    error: JobFailure | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None

    def __post_init__(self) -> None:
        if is_rebuilding():
            return
        if len(self.kind) > 100 or not _KIND.fullmatch(self.kind):
            raise InvalidJob("kind must be like billing.close", field="kind", allowed="lower-case words joined by dots")
        if not 1 <= self.max_attempts <= MAX_ATTEMPTS:
            raise InvalidJob(
                f"max_attempts must be from 1 to {MAX_ATTEMPTS}", field="max_attempts", allowed=f"1 to {MAX_ATTEMPTS}"
            )
        if self.idempotency_key is not None and not 1 <= len(self.idempotency_key) <= 200:
            raise InvalidJob(
                "idempotency_key must be 1 to 200 characters", field="idempotency_key", allowed="1 to 200 characters"
            )

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen, as far as this release knows, unless somebody queues the job again."""
        return self.status in _OVER

    @property
    def delivery(self) -> Delivery:
        """The message that makes a worker run the job."""
        return Delivery(self.tenant_id, self.id, self.ticket)

    @property
    def principal(self) -> Principal:
        """Whom the job's handler acts as."""
        return Principal(self.tenant_id, f"job:{self.id}", self.scopes)

    def was_queued(self) -> JobQueued:
        """Return the event of the job's coming to be."""
        return JobQueued(self.id, self.kind)

    def accepts(self, delivery: Delivery) -> bool:
        """Tell whether this message may start the job: not one from before it was queued again, nor after its end.

        Raises `UnknownStatus` where only a later release can tell.
        """
        if delivery != self.delivery or self.is_over:
            return False
        if self.status not in _WAITS_OR_RUNS:
            raise UnknownStatus(f"a job is {self.status}", job_id=str(self.id), status=self.status.value)
        return True

    def begin(self, now: datetime) -> list[Event]:
        """Start an attempt, unless it was the last or somebody cancelled meanwhile; the status tells.

        A job that runs already is begun again: the queue hands it out twice only where a worker was lost.
        """
        if self.status not in _WAITS_OR_RUNS:
            raise self._wrong_status("begun")
        if self.cancel_requested:
            return self._end_cancelled(now)
        if self.attempts >= self.max_attempts:
            return self._end_failed(JobFailure.of(WorkerLost()), now)
        self.status = JobStatus.RUNNING
        self.attempts += 1
        self.started_at = now
        self.progress = None
        return [JobStarted(self.id, self.kind, self.attempts)]

    def report(self, attempt: int, progress: JobProgress) -> None:
        """Note how far an attempt is; raise `Superseded`, or `CancelRequested` where it should stop."""
        self.check_current(attempt)
        if self.cancel_requested:
            raise CancelRequested
        self.progress = progress

    def check_current(self, attempt: int) -> None:
        """Raise `Superseded` unless `attempt` is under way."""
        if self.status is not JobStatus.RUNNING or attempt != self.attempts:
            raise Superseded(job_id=str(self.id))

    def succeed(self, result: dict[str, Any] | None, now: datetime) -> list[Event]:
        """End well, also where somebody asked to cancel too late."""
        self._require_running("finished")
        self.status = JobStatus.SUCCEEDED
        self.result = result
        self.error = None
        self.cancel_requested = False
        self.finished_at = now
        return [JobSucceeded(self.id, self.kind)]

    def fail(self, failure: JobFailure, now: datetime, *, retry_at: datetime | None) -> list[Event]:
        """End an attempt badly. Another one follows at `retry_at`, where there is a time and an attempt left."""
        self._require_running("failed")
        if self.cancel_requested:
            return self._end_cancelled(now)
        if retry_at is None or self.attempts >= self.max_attempts:
            return self._end_failed(failure, now)
        self.status = JobStatus.QUEUED
        self.ticket += 1
        self.error = failure
        self.run_after = retry_at
        return [JobRetried(self.id, self.kind, self.attempts, failure.code)]

    def cancel(self, now: datetime) -> list[Event]:
        """End a job that waits; ask one that runs to stop, which it does when it next reports progress.

        One whose status this release does not know is ended as well: a worker that has it learns of it when it reports.
        """
        if self.status in (JobStatus.SUCCEEDED, JobStatus.FAILED):
            raise self._wrong_status("cancelled")
        if self.status is JobStatus.CANCELLED:
            return []
        if self.status is JobStatus.RUNNING:
            self.cancel_requested = True
            return []
        return self._end_cancelled(now)

    def queue_again(self, principal: Principal, now: datetime) -> list[Event]:
        """Put a failed or cancelled job back in the queue, with all its attempts and the rights of who asks now."""
        if self.status not in (JobStatus.FAILED, JobStatus.CANCELLED):
            raise self._wrong_status("queued again")
        self.status = JobStatus.QUEUED
        self.ticket += 1
        self.attempts = 0
        self.requested_by = principal.subject
        self.scopes = principal.scopes
        self.run_after = now
        self.cancel_requested = False
        self.progress = self.error = self.started_at = self.finished_at = None
        return [self.was_queued()]

    def _end_cancelled(self, now: datetime) -> list[Event]:
        self.status = JobStatus.CANCELLED
        self.cancel_requested = False
        self.finished_at = now
        return [JobCancelled(self.id, self.kind)]

    def _end_failed(self, failure: JobFailure, now: datetime) -> list[Event]:
        self.status = JobStatus.FAILED
        self.error = failure
        self.finished_at = now
        return [JobFailed(self.id, self.kind, failure.code)]

    def _require_running(self, wish: str) -> None:
        if self.status is not JobStatus.RUNNING:
            raise self._wrong_status(wish)

    def _wrong_status(self, wish: str) -> WrongStatus:
        return WrongStatus(
            f"a job that is {self.status} cannot be {wish}", job_id=str(self.id), status=self.status.value
        )
