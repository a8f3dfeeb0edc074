"""Jobs, queued over one connection and run over another."""

import asyncio

import asyncpg
import pytest
from pgqueuer import Queries

from omni_core.adapters.postgres.connecting import DatabaseUnavailable, Refused
from omni_core.adapters.postgres.engine import APP_ROLE
from omni_core.adapters.postgres.job_consumer import PgQueuerConsumer, QueueMissing
from omni_core.adapters.postgres.job_queue import ENTRYPOINT
from omni_core.domain.jobs.api import Job, JobStatus
from omni_workers.supervision import work
from tests.integration.workers.conftest import Bench, eventually
from tests.support.database import as_role, connected, run_sql

pytestmark = pytest.mark.postgres


async def test_a_change_that_is_rolled_back_queues_nothing(bench: Bench):
    async def change() -> None:
        async with bench.uow(bench.principal.tenant_id) as tx:
            await bench.jobs.enqueue(tx, bench.principal, "testing.wait", {})
            raise ValueError("the change failed")

    with pytest.raises(ValueError, match="the change failed"):
        await change()
    async with connected(bench.url) as owner:
        assert await owner.fetchval("select (select count(*) from job) + (select count(*) from pgqueuer)") == 0


async def test_progress_shows_while_a_job_runs(bench: Bench):
    async with bench.worker():
        job = await bench.submit()

        async def advanced() -> Job | None:
            now = await bench.jobs.get(bench.principal, job.id)
            return now if now.progress is not None and now.progress.current > 1 else None

        running = await eventually(advanced)
        assert running.status is JobStatus.RUNNING
        bench.go()
        assert (await bench.reaches(job, JobStatus.SUCCEEDED)).attempts == 1


async def test_a_running_job_is_cancelled(bench: Bench):
    async with bench.worker():
        job = await bench.submit()
        await bench.reaches(job, JobStatus.RUNNING)
        asked = await bench.jobs.cancel(bench.principal, job.id)
        assert (asked.status, asked.cancel_requested) == (JobStatus.RUNNING, True)
        await bench.reaches(job, JobStatus.CANCELLED)
    assert bench.notes("end") == []


async def test_of_a_hundred_jobs_each_is_run_once(bench: Bench):
    bench.go()
    jobs = await asyncio.gather(*(bench.submit(str(number)) for number in range(100)))
    async with bench.worker(), bench.worker():
        for job in jobs:
            assert (await bench.reaches(job, JobStatus.SUCCEEDED)).attempts == 1
    assert len(bench.notes("begin")) == 100


async def test_a_settled_message_leaves_the_queue(bench: Bench):
    bench.go()
    async with bench.worker():
        await bench.reaches(await bench.submit(), JobStatus.SUCCEEDED)
    async with connected(bench.url) as owner:
        assert await owner.fetchval("select count(*) from pgqueuer") == 0


async def test_pgqueuer_finds_its_own_schema(bench: Bench):
    async with connected(bench.url) as owner:
        plan = await Queries.from_asyncpg_connection(owner).plan_upgrade()
    assert list(plan.statements) == []


async def test_a_message_is_what_pgqueuer_would_have_written(bench: Bench):
    job = await bench.submit()
    # It writes "no headers" as a JSON null; it reads that and an SQL null alike.
    headers = "nullif(headers, 'null') as headers"
    columns = f"priority, queue_manager_id, status, entrypoint, dedupe_key, {headers}, attempts, slot, payload"
    async with connected(bench.url) as owner:
        ours = await owner.fetchrow(f"select {columns} from pgqueuer")
        assert ours is not None
        await owner.execute("delete from pgqueuer")
        await Queries.from_asyncpg_connection(owner).enqueue(ENTRYPOINT, ours["payload"])
        assert await owner.fetchrow(f"select {columns} from pgqueuer") == ours
    assert str(job.id).encode() in ours["payload"]


@pytest.mark.parametrize("statement", ["select * from pgqueuer", "delete from pgqueuer", "select * from pgqueuer_log"])
async def test_the_program_adds_to_the_queue_and_sees_nothing_of_it(bench: Bench, statement):
    async with connected(as_role(bench.url, APP_ROLE)) as app:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await app.execute(statement)


@pytest.mark.parametrize("statement", ["select * from job", "select * from tenant", "select omni_tenant_ids(9, null)"])
async def test_a_worker_at_the_queue_sees_nothing_else(bench: Bench, statement):
    async with connected(as_role(bench.url, "omni_worker")) as worker:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await worker.execute(statement)


async def test_a_database_without_a_queue_is_not_waited_for(empty_database_url: str):
    consumer = PgQueuerConsumer(empty_database_url)
    async with asyncio.timeout(10):
        with pytest.raises(QueueMissing):
            await work(consumer, never, asyncio.Event())


async def test_a_worker_that_is_shut_out_meanwhile_waits_and_one_that_never_was_let_in_does_not(bench: Bench):
    ready = asyncio.Event()
    await run_sql(bench.url, "create role clerk login in role omni_worker")
    try:
        url = as_role(bench.url, "clerk")
        consumer = PgQueuerConsumer(url)
        async with asyncio.timeout(20), asyncio.TaskGroup() as group:
            working = group.create_task(shut_out(consumer, ready))
            await ready.wait()
            await run_sql(bench.url, "revoke omni_worker from clerk")
            await run_sql(bench.url, "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'clerk'")
        assert working.done()
        with pytest.raises(DatabaseUnavailable, match="permission denied"):
            await consumer.consume(never, asyncio.Event(), ready.set)
        with pytest.raises(Refused, match="OMNI_OWNER_DATABASE_URL"):
            await work(PgQueuerConsumer(url), never, asyncio.Event())
    finally:
        await run_sql(bench.url, "drop role clerk")


async def shut_out(consumer: PgQueuerConsumer, ready: asyncio.Event) -> None:
    with pytest.raises(DatabaseUnavailable, match="broke"):
        await consumer.consume(never, asyncio.Event(), ready.set)


async def never(_: object) -> bool:
    raise AssertionError("there is nothing to deliver")
