"""A worker's second task: it lets subscriptions react to what happened, until it is told to stop."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Protocol

import structlog

from omni_core.domain.events.api import Round, Setback, Visit
from omni_core.domain.kernel.errors import DependencyFailed, OmniError
from omni_workers.supervision import PAUSES_S

log = structlog.get_logger("omni.worker")
POLL_S = 0.5
SWEEP_S = 300.0


class Runner(Protocol):
    """What visits tenants: a `SubscriptionRunner`."""

    async def pump(self, stop: "Stopped") -> Round:
        """Visit some tenants."""
        ...

    def sweep(self) -> None:
        """Visit also those that nothing woke."""
        ...


class Stopped(Protocol):
    """Tells whether to stop."""

    def __call__(self) -> bool: ...


async def react(
    runner: Runner,
    stop: asyncio.Event,
    *,
    poll_s: float = POLL_S,
    sweep_s: float = SWEEP_S,
    pauses_s: Sequence[float] = PAUSES_S,
) -> None:
    """Let subscriptions react until `stop` is set, at most a batch longer; outlive the database.

    It looks for tenants every `poll_s` seconds, and every `sweep_s` also for those that a worker of another release
    is done with. Where something fails it goes on after ever longer pauses. Raises what keeps tenants from being found
    and will not pass, such as a schema that was never made.
    """
    time = asyncio.get_running_loop().time
    failures, swept_at = 0, time()
    log.info("reactions.ready")
    while not stop.is_set():
        if time() - swept_at >= sweep_s:
            runner.sweep()
            swept_at = time()
        try:
            around = await runner.pump(stop.is_set)
        except DependencyFailed as error:
            if not error.retryable:
                raise
            log.warning("reactions.database_lost", detail=error.detail)
            failures += 1
            pause = pauses_s[min(failures, len(pauses_s)) - 1]
        else:
            failed = [visit for visit in around.visits if tell(visit)]
            failures = failures + 1 if failed else 0
            pause = pauses_s[min(failures, len(pauses_s)) - 1] if failed else poll_s if around.is_quiet else 0.0
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), pause)
    log.info("reactions.stopped")


def tell(visit: Visit) -> bool:
    """Write what became of a visit to the log; tell whether it failed."""
    if visit.handled:
        log.info("reactions.handled", tenant_id=str(visit.tenant_id), events=visit.handled)
    for setback in visit.setbacks:
        _tell_setback(setback)
    if visit.error is None:
        return False
    expected = isinstance(visit.error, OmniError) and visit.error.retryable
    level = log.warning if expected else log.error
    level(
        "reactions.visit_failed",
        tenant_id=str(visit.tenant_id),
        error=repr(visit.error),
        exc_info=None if expected else visit.error,
    )
    return True


def _tell_setback(setback: Setback) -> None:
    level = log.error if setback.is_set_aside else log.warning
    level(
        "reactions.event_set_aside" if setback.is_set_aside else "reactions.event_failed",
        tenant_id=str(setback.tenant_id),
        subscription=setback.subscription,
        event_id=str(setback.event_id),
        event_type=setback.event_type,
        attempt=setback.attempt,
        code=setback.failure.code,
        detail=setback.failure.detail,
        exc_info=None if isinstance(setback.cause, OmniError) else setback.cause,
    )
