import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest

from omni_core.adapters.postgres.engine import open_database
from omni_core.adapters.postgres.job_consumer import PgQueuerConsumer
from omni_core.domain.jobs.api import Job, Jobs, JobStatus
from omni_core.domain.kernel.tenancy import TENANT_SCOPES, Principal
from omni_core.domain.kernel.uow import UnitOfWork
from omni_core.testing.builders.kernel import a_tenant_id
from omni_workers.supervision import work
from tests.integration.workers.worker import HEARTBEAT_S, deliveries_on, jobs_on, uow_on

WITHIN_S = 30.0
SCRIPT = Path(__file__).with_name("worker.py")
ROOT = Path(__file__).parents[3]
T = TypeVar("T")


@dataclass
class Bench:
    """Jobs on a database of the test's own, and workers in this process or others, with a folder to meet in."""

    url: str
    folder: Path
    uow: UnitOfWork
    jobs: Jobs
    principal: Principal

    @asynccontextmanager
    async def worker(self, grace_s: float = 10.0) -> AsyncIterator[asyncio.Event]:
        """Run a worker in this process; give the event that stops it."""
        stop = asyncio.Event()
        async with open_database(self.url) as database:
            consumer = PgQueuerConsumer(self.url, heartbeat_s=HEARTBEAT_S, grace_s=grace_s)
            working = asyncio.create_task(work(consumer, deliveries_on(database, self.folder).take, stop))
            try:
                yield stop
            finally:
                stop.set()
                async with asyncio.timeout(WITHIN_S):
                    await working

    def worker_process(self) -> subprocess.Popen[bytes]:
        environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'src'}"}
        return subprocess.Popen([sys.executable, str(SCRIPT), self.url, str(self.folder)], env=environment)

    async def submit(self, name: str = "job") -> Job:
        return await self.jobs.submit(self.principal, "testing.wait", {"name": name})

    def go(self) -> None:
        (self.folder / "go").touch()

    def notes(self, what: str) -> list[int]:
        """Return the processes that noted `what`, in order."""
        path = self.folder / "notes"
        lines = path.read_text().splitlines() if path.exists() else []
        return [int(line.rpartition(" ")[2]) for line in lines if line.startswith(f"{what} ")]

    async def reaches(self, job: Job, status: JobStatus) -> Job:
        async def reached() -> Job | None:
            now = await self.jobs.get(self.principal, job.id)
            return now if now.status is status else None

        return await eventually(reached)


async def eventually(look: Callable[[], Awaitable[T | None]]) -> T:
    until = time.monotonic() + WITHIN_S
    while time.monotonic() < until:
        if (found := await look()) is not None:
            return found
        await asyncio.sleep(0.05)
    raise TimeoutError("it did not happen")


@asynccontextmanager
async def bench_on(url: str, folder: Path) -> AsyncIterator[Bench]:
    async with open_database(url) as database:
        yield Bench(
            url, folder, uow_on(database), jobs_on(database), Principal(a_tenant_id(), "key:abc", TENANT_SCOPES)
        )


@pytest.fixture
async def bench(fresh_database_url: str, tmp_path: Path) -> AsyncIterator[Bench]:
    async with bench_on(fresh_database_url, tmp_path) as bench:
        yield bench
