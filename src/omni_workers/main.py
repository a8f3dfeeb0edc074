"""The worker: Omni, opened, with its handlers at the queue.

Every module of `handlers/` says by its function `handlers` what it does: nothing here changes with a new context.
"""

import asyncio
import sys
from collections.abc import Coroutine, Iterator
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from omni_core import Omni, OmniError, Settings
from omni_core.adapters.postgres.job_consumer import PgQueuerConsumer
from omni_core.adapters.system import SystemClock
from omni_core.adapters.telemetry.logging import configure_logging
from omni_core.bootstrap.exits import exit_code_of
from omni_core.domain.jobs.api import JobHandler, by_kind
from omni_core.domain.kernel.errors import Unsupported
from omni_workers import handlers
from omni_workers.delivery import Deliveries
from omni_workers.outcomes import worth_retrying
from omni_workers.reactions import react
from omni_workers.supervision import stop_signals, work


class NoSharedQueue(Unsupported):
    """Memory adapters have no queue that a worker could share."""

    code = "workers.no_shared_queue"


def installed_handlers(omni: Omni) -> Iterator[JobHandler[Any]]:
    """Yield what each context's module does of `omni`'s jobs."""
    for found in iter_modules(handlers.__path__):
        yield from import_module(f"{handlers.__name__}.{found.name}").handlers(omni)


async def run_worker(omni: Omni, stop: asyncio.Event) -> None:
    """Run jobs and react to events until `stop` is set; raise `NoSharedQueue` on memory adapters, or `QueueMissing`."""
    if omni.urls is None:
        raise NoSharedQueue
    runner = omni.job_runner(by_kind(*installed_handlers(omni)), worth_retrying=worth_retrying)
    consumer = PgQueuerConsumer(
        omni.urls.owner,
        concurrency=omni.settings.jobs.concurrency,
        heartbeat_s=omni.settings.jobs.heartbeat_s,
        setting=omni.urls.owner_setting,
    )
    reactions = omni.subscription_runner(worth_retrying=worth_retrying)
    await together(stop, work(consumer, Deliveries(runner, SystemClock()).take, stop), react(reactions, stop))


async def together(stop: asyncio.Event, *acts: Coroutine[Any, Any, None]) -> None:
    """Do several things until they have ended; where one fails the others are told to stop, and it is raised."""
    tasks = [asyncio.create_task(act) for act in acts]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    finally:
        stop.set()
    await asyncio.wait(tasks)
    for task in tasks:
        await task


async def run(settings: Settings) -> None:
    """Open Omni and run jobs until SIGTERM or SIGINT."""
    async with stop_signals() as stop, Omni.open(settings) as omni:
        await run_worker(omni, stop)


def main() -> int:
    """Run a worker by the settings in force; return the process's exit status."""
    try:
        settings = Settings.load()
        configure_logging(settings.log_level, settings.log_format)
        asyncio.run(run(settings))
    except OmniError as error:
        sys.stderr.write(f"omni worker: {error.detail} [{error.code}]\n")
        return exit_code_of(error)
    return 0
