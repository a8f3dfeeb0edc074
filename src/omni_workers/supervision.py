"""A worker's life: it takes jobs until it is told to stop, and outlives its database."""

import asyncio
import signal
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Protocol

import structlog

from omni_core.domain.jobs.api import Delivery
from omni_core.domain.kernel.errors import DependencyFailed
from omni_workers.announcing import announce_ready

log = structlog.get_logger("omni.worker")
PAUSES_S = (0.5, 1.0, 2.0, 5.0)


class Consumer(Protocol):
    """A worker's end of the queue."""

    async def consume(
        self, deliver: Callable[[Delivery], Awaitable[bool]], stop: asyncio.Event, on_ready: Callable[[], None]
    ) -> None:
        """Hand messages to `deliver` until `stop` is set; raise `DependencyFailed` where the queue is lost."""
        ...


async def work(
    consumer: Consumer,
    deliver: Callable[[Delivery], Awaitable[bool]],
    stop: asyncio.Event,
    pauses_s: Sequence[float] = PAUSES_S,
    announce: Callable[[], None] = announce_ready,
) -> None:
    """Consume until `stop` is set, and begin again whenever the queue is lost, for ever, after ever longer pauses.

    `announce` is called when the queue is first reached. Raises what trying again does not mend, such as a schema that
    was never made.
    """
    failures = 0
    is_announced = False

    def ready() -> None:
        nonlocal failures, is_announced
        failures = 0
        log.info("worker.ready")
        if not is_announced:
            is_announced = True
            announce()

    while not stop.is_set():
        try:
            await consumer.consume(deliver, stop, ready)
        except DependencyFailed as error:
            if not error.retryable:
                raise
            pause = pauses_s[min(failures, len(pauses_s) - 1)]
            failures += 1
            log.warning("worker.queue_lost", detail=error.detail, again_in_s=pause)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), pause)
    log.info("worker.stopped")


@asynccontextmanager
async def stop_signals() -> AsyncGenerator[asyncio.Event, None]:
    """Give an event that SIGTERM or SIGINT sets; whoever sends a second one ends the process at once."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def end() -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end)
    try:
        yield stop
    finally:
        end()
