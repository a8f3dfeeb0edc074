"""The worker: Omni, opened, with its handlers at the queue."""

import asyncio
import sys

from omni_core import Omni, OmniError, Settings
from omni_core.adapters.postgres.job_consumer import PgQueuerConsumer
from omni_core.adapters.system import SystemClock
from omni_core.adapters.telemetry.logging import configure_logging
from omni_core.bootstrap.settings import InvalidSetting
from omni_core.domain.jobs.api import by_kind
from omni_core.domain.kernel.errors import Unsupported
from omni_workers.delivery import Deliveries
from omni_workers.handlers import billing
from omni_workers.outcomes import worth_retrying
from omni_workers.supervision import stop_signals, work

EX_CONFIG = 78


class NoSharedQueue(Unsupported):
    """Memory adapters have no queue that a worker could share."""

    code = "workers.no_shared_queue"


async def run_worker(omni: Omni, stop: asyncio.Event) -> None:
    """Run jobs until `stop` is set; raise `NoSharedQueue` where Omni is on memory adapters, `QueueMissing`."""
    if omni.urls is None:
        raise NoSharedQueue
    handlers = by_kind(billing.close_month(omni.billing))
    runner = omni.job_runner(handlers, worth_retrying=worth_retrying)
    consumer = PgQueuerConsumer(
        omni.urls.owner,
        concurrency=omni.settings.worker_concurrency,
        heartbeat_s=omni.settings.worker_heartbeat_s,
    )
    await work(consumer, Deliveries(runner, SystemClock()).take, stop)


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
        return EX_CONFIG if isinstance(error, InvalidSetting) else 1
    return 0
