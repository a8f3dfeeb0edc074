"""From a message to a job that has been run, with a line in the log for each."""

import logging
from typing import Any

import structlog

from omni_core.domain.jobs.api import Delivery, Ending, JobRunner, Run
from omni_core.domain.kernel.clock import Clock
from omni_core.domain.kernel.errors import OmniError

log = structlog.get_logger("omni.worker")


class Deliveries:
    """Runs the jobs that messages name, and logs what became of them."""

    def __init__(self, runner: JobRunner, clock: Clock) -> None:
        self._runner = runner
        self._clock = clock

    async def take(self, delivery: Delivery) -> bool:
        """Run a job; tell whether its message is settled. Where it is not, the message has to come again."""
        started = self._clock.monotonic()
        try:
            run = await self._runner.run(delivery)
        except Exception as error:  # whatever it is, the message must not be lost with it
            expected = isinstance(error, OmniError) and error.retryable
            log.warning("job.unsettled", job_id=str(delivery.job_id), error=repr(error), exc_info=not expected)
            return False
        self._log(delivery, run, self._clock.monotonic() - started)
        return True

    def _log(self, delivery: Delivery, run: Run, seconds: float) -> None:
        facts: dict[str, Any] = {"job_id": str(delivery.job_id), "tenant_id": str(delivery.tenant_id)}
        if run.job is not None:
            facts |= {"kind": run.job.kind, "attempt": run.job.attempts, "seconds": round(seconds, 3)}
        if run.cause is not None and run.job is not None and run.job.error is not None:
            facts |= {"code": run.job.error.code, "detail": run.job.error.detail}
        unforeseen = None if isinstance(run.cause, OmniError) else run.cause
        log.log(_level_of(run), "job.ended", ending=run.ending.value, **facts, exc_info=unforeseen)


def _level_of(run: Run) -> int:
    if run.cause is not None and not isinstance(run.cause, OmniError):
        return logging.ERROR
    return logging.WARNING if run.ending in (Ending.RETRIED, Ending.FAILED, Ending.SUPERSEDED) else logging.INFO
