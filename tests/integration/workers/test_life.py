"""Workers that stop, die and lose their database, and the jobs that they had."""

import asyncio
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from omni_core.adapters.postgres import migrate
from omni_core.domain.jobs.api import JobStatus
from tests.integration.workers.conftest import WITHIN_S, Bench, bench_on, eventually
from tests.integration.workers.worker import HEARTBEAT_S
from tests.support.restarts import restart, restarting_server

pytestmark = [pytest.mark.postgres, pytest.mark.slow]


async def begun(bench: Bench, times: int) -> list[int]:
    async def look() -> list[int] | None:
        noted = bench.notes("begin")
        return noted if len(noted) >= times else None

    return await eventually(look)


@pytest.fixture
def restarting_url() -> Iterator[str]:
    """A server of this test's own, which comes back when it is shut down."""
    with restarting_server() as url:
        yield url


async def test_a_worker_outlives_its_database(restarting_url: str, tmp_path: Path):
    await migrate.upgrade(restarting_url)
    async with bench_on(restarting_url, tmp_path) as bench, bench.worker():
        interrupted = await bench.submit("interrupted")
        await begun(bench, 1)
        await restart(restarting_url)
        after = await bench.submit("after")
        bench.go()
        assert (await bench.reaches(after, JobStatus.SUCCEEDED)).attempts == 1
        assert (await bench.reaches(interrupted, JobStatus.SUCCEEDED)).attempts == 2
    assert len(bench.notes("end")) == 2


async def test_a_killed_workers_job_is_run_by_another_and_by_nobody_while_it_lives(bench: Bench):
    with bench.worker_process() as one, bench.worker_process() as other:
        try:
            job = await bench.submit()
            (first,) = await begun(bench, 1)
            await asyncio.sleep(3 * HEARTBEAT_S)
            assert bench.notes("begin") == [first]
            victim, heir = (one, other) if first == one.pid else (other, one)
            victim.kill()
            await begun(bench, 2)
            bench.go()
            done = await bench.reaches(job, JobStatus.SUCCEEDED)
            assert (done.attempts, done.result) == (2, {"pid": heir.pid})
            assert bench.notes("begin") == [first, heir.pid]
            assert bench.notes("end") == [heir.pid]
        finally:
            one.kill()
            other.kill()


async def test_a_worker_that_is_told_to_stop_finishes_its_job(bench: Bench):
    with bench.worker_process() as worker:
        try:
            job = await bench.submit()
            await begun(bench, 1)
            worker.send_signal(signal.SIGTERM)
            await asyncio.sleep(0.3)
            assert worker.poll() is None
            bench.go()
            assert await asyncio.to_thread(worker.wait, WITHIN_S) == 0
        finally:
            worker.kill()
    assert (await bench.reaches(job, JobStatus.SUCCEEDED)).attempts == 1


async def test_what_a_worker_cannot_finish_in_time_is_the_next_ones(bench: Bench):
    async with bench.worker(grace_s=0.1):
        job = await bench.submit()
        await begun(bench, 1)
    assert (await bench.jobs.get(bench.principal, job.id)).status is JobStatus.RUNNING
    bench.go()
    async with bench.worker():
        assert (await bench.reaches(job, JobStatus.SUCCEEDED)).attempts == 2


async def test_a_worker_that_stops_takes_nothing_more(bench: Bench):
    async with bench.worker() as stop:
        await bench.submit("first")
        await begun(bench, 1)
        stop.set()
        waiting = await bench.submit("second")
        bench.go()
    assert (await bench.jobs.get(bench.principal, waiting.id)).status is JobStatus.QUEUED
