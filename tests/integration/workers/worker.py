"""A worker with a handler for tests: `python worker.py <owner's url> <folder>`.

`testing.wait` notes its beginning and its end in the folder, and reports progress until a file `go` is there.
"""

import asyncio
import os
import sys
from pathlib import Path

import msgspec

from omni_core.adapters.postgres.engine import Database, open_database
from omni_core.adapters.postgres.job_consumer import PgQueuerConsumer
from omni_core.adapters.postgres.job_queue import PgQueuerJobQueue
from omni_core.adapters.postgres.jobs import PostgresJobStore
from omni_core.adapters.postgres.uow import PostgresUnitOfWork
from omni_core.adapters.system import SystemClock, SystemIds
from omni_core.domain.jobs.api import JobContext, JobHandler, JobRunner, Jobs, by_kind
from omni_core.domain.kernel.uow import UnitOfWork
from omni_workers.delivery import Deliveries
from omni_workers.outcomes import worth_retrying
from omni_workers.supervision import stop_signals, work

HEARTBEAT_S = 1.0
_ids = SystemIds()


class Wait(msgspec.Struct, frozen=True):
    name: str = "job"


class Waited(msgspec.Struct, frozen=True):
    pid: int


def wait_handler(folder: Path) -> JobHandler[Wait]:
    def note(what: str, name: str) -> None:
        with (folder / "notes").open("a") as notes:
            notes.write(f"{what} {name} {os.getpid()}\n")

    async def handle(context: JobContext, arguments: Wait) -> Waited:
        note("begin", arguments.name)
        steps = 0
        while not (folder / "go").exists():
            steps += 1
            await context.progress(steps, 1_000_000, "waiting")
            await asyncio.sleep(0.02)
        note("end", arguments.name)
        return Waited(os.getpid())

    return JobHandler("testing.wait", Wait, handle)


def uow_on(database: Database) -> UnitOfWork:
    return PostgresUnitOfWork(database.engine, SystemClock(), _ids)


def jobs_on(database: Database) -> Jobs:
    return Jobs(uow_on(database), PostgresJobStore(), PgQueuerJobQueue(), SystemClock(), _ids)


def deliveries_on(database: Database, folder: Path) -> Deliveries:
    runner = JobRunner(
        uow_on(database),
        PostgresJobStore(),
        PgQueuerJobQueue(),
        SystemClock(),
        by_kind(wait_handler(folder)),
        worth_retrying=worth_retrying,
    )
    return Deliveries(runner, SystemClock())


async def run(url: str, folder: Path) -> None:
    async with stop_signals() as stop, open_database(url) as database:
        consumer = PgQueuerConsumer(url, heartbeat_s=HEARTBEAT_S)
        await work(consumer, deliveries_on(database, folder).take, stop)


if __name__ == "__main__":
    asyncio.run(run(sys.argv[1], Path(sys.argv[2])))
