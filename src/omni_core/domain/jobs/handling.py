"""What a job's handler is, and what it is handed."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from uuid import UUID

import msgspec

from omni_core.domain.jobs.errors import InvalidArguments
from omni_core.domain.jobs.model import Job
from omni_core.domain.jobs.values import JobProgress
from omni_core.domain.kernel.clock import Clock
from omni_core.domain.kernel.tenancy import Principal

A = TypeVar("A", bound=msgspec.Struct)
Report = Callable[[JobProgress], Awaitable[None]]
PROGRESS_EVERY_S = 0.25


class JobContext:
    """One attempt at a job, as its handler sees it."""

    def __init__(self, job: Job, report: Report, clock: Clock) -> None:
        self.job_id: UUID = job.id
        self.attempt: int = job.attempts
        self.principal: Principal = job.principal
        self.latest: JobProgress | None = None
        self._report = report
        self._clock = clock
        self._reported_at: float | None = None

    async def progress(self, current: int, total: int, message: str = "") -> None:
        """Say how far the work is. Call it as often as you like: it is stored at most four times a second.

        No transaction of the job's tenant may be open. Raises `JobStopped` where the attempt should end: let it pass.
        """
        self.latest = JobProgress(current, total, message)
        now = self._clock.monotonic()
        if self._reported_at is None or now - self._reported_at >= PROGRESS_EVERY_S:
            self._reported_at = now
            await self._report(self.latest)


@dataclass(frozen=True, slots=True)
class JobHandler(Generic[A]):
    """What does the work of one kind of job.

    It may be run more than once for one job, after a failure or the loss of a worker, so it must be idempotent. What
    it returns is the job's result; what it raises decides whether the job is tried again.
    """

    kind: str
    arguments: type[A]
    handle: Callable[[JobContext, A], Awaitable[msgspec.Struct | None]]

    async def __call__(self, context: JobContext, arguments: Mapping[str, Any]) -> msgspec.Struct | None:
        """Run it; raise `InvalidArguments` where the arguments do not fit, and whatever the work raises."""
        try:
            typed = msgspec.convert(arguments, self.arguments)
        except msgspec.ValidationError as error:
            raise InvalidArguments(f"{self.kind}: {error}", kind=self.kind) from error
        return await self.handle(context, typed)


def by_kind(*handlers: JobHandler[Any]) -> Mapping[str, JobHandler[Any]]:
    """Return handlers by the kind that they are for; raise `ValueError` where two are for the same."""
    register = {handler.kind: handler for handler in handlers}
    if len(register) != len(handlers):
        raise ValueError("two handlers are for the same kind of job")
    return register
