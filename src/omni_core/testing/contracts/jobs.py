"""What every JobStore does, and every JobQueue as far as the workers' end shows it."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from omni_core.domain.jobs.errors import UnknownJob
from omni_core.domain.jobs.model import Job
from omni_core.domain.jobs.ports import JobQueue, JobStore
from omni_core.domain.jobs.values import Delivery, JobFailure, JobProgress, JobStatus
from omni_core.domain.kernel.stored import rebuilds
from omni_core.domain.kernel.tenancy import Scope, TenantId
from omni_core.domain.kernel.uow import UnitOfWork
from omni_core.testing.builders.jobs import a_job
from omni_core.testing.builders.kernel import a_tenant_id, unheard_of
from omni_core.testing.clock import NOON

_LATER = NOON + timedelta(seconds=1, microseconds=1)


class JobStoreContract:
    """Fixtures: `job_store`, and a `uow` of the same technology."""

    async def test_a_new_job_comes_back_as_it_went_in(self, uow: UnitOfWork, job_store: JobStore) -> None:
        job = a_job(a_tenant_id(), arguments={"a": [1, 2.5, "ü", None, {"b": True}]}, scopes=frozenset({Scope.CHAT}))
        assert await stored(uow, job_store, job) is None
        async with uow(job.tenant_id) as tx:
            assert await job_store.get(tx, job.id) == job
            assert await job_store.lock(tx, job.id) == job

    async def test_everything_that_changes_is_saved(self, uow: UnitOfWork, job_store: JobStore) -> None:
        job = a_job(a_tenant_id())
        await stored(uow, job_store, job)
        job.status, job.ticket, job.attempts, job.cancel_requested = JobStatus.RUNNING, 2, 3, True
        job.requested_by, job.scopes = "key:other", frozenset({Scope.JOBS_READ})
        job.progress, job.result = JobProgress(1, 2, "half"), {"total": 12}
        job.error = JobFailure("jobs.worker_lost", "It was lost")
        job.run_after = job.started_at = job.finished_at = _LATER
        async with uow(job.tenant_id) as tx:
            await job_store.save(tx, job)
        async with uow(job.tenant_id) as tx:
            assert await job_store.get(tx, job.id) == job

    async def test_what_is_emptied_is_empty(self, uow: UnitOfWork, job_store: JobStore) -> None:
        job = a_job(a_tenant_id(), progress=JobProgress(0, 1), result={}, error=JobFailure("a", "b"), started_at=NOON)
        await stored(uow, job_store, job)
        job.progress = job.result = job.error = job.started_at = None
        async with uow(job.tenant_id) as tx:
            await job_store.save(tx, job)
        async with uow(job.tenant_id) as tx:
            assert await job_store.get(tx, job.id) == job

    async def test_a_key_finds_the_job_that_has_it(self, uow: UnitOfWork, job_store: JobStore) -> None:
        first = a_job(a_tenant_id(), idempotency_key="2026-11")
        second = a_job(first.tenant_id, idempotency_key="2026-11")
        assert await stored(uow, job_store, first) is None
        assert await stored(uow, job_store, second) == first
        async with uow(first.tenant_id) as tx:
            assert [job.id for job in await job_store.list(tx, 10, None, None)] == [first.id]

    async def test_a_key_belongs_to_one_kind_of_one_tenant(self, uow: UnitOfWork, job_store: JobStore) -> None:
        first = a_job(a_tenant_id(), idempotency_key="2026-11")
        same_tenant = a_job(first.tenant_id, idempotency_key="2026-11", kind="testing.other")
        for job in (first, same_tenant, a_job(a_tenant_id(), idempotency_key="2026-11")):
            assert await stored(uow, job_store, job) is None

    async def test_jobs_without_a_key_are_all_kept(self, uow: UnitOfWork, job_store: JobStore) -> None:
        tenant_id = a_tenant_id()
        for _ in range(2):
            assert await stored(uow, job_store, a_job(tenant_id)) is None

    async def test_of_many_at_once_with_a_key_one_is_kept(self, uow: UnitOfWork, job_store: JobStore) -> None:
        tenant_id = a_tenant_id()
        jobs = [a_job(tenant_id, idempotency_key="once") for _ in range(6)]
        found = await asyncio.gather(*(stored(uow, job_store, job) for job in jobs))
        assert len([one for one in found if one is None]) == 1
        assert len({one.id for one in found if one is not None}) == 1

    async def test_of_two_beginnings_at_once_each_is_another_attempt(
        self, uow: UnitOfWork, job_store: JobStore
    ) -> None:
        job = a_job(a_tenant_id())
        await stored(uow, job_store, job)

        async def begin() -> int:
            async with uow(job.tenant_id) as tx:
                locked = await job_store.lock(tx, job.id)
                await asyncio.sleep(0)
                locked.begin(NOON)
                await job_store.save(tx, locked)
            return locked.attempts

        assert sorted(await asyncio.gather(*(begin() for _ in range(4)))) == [1, 2, 3, 4]

    async def test_jobs_are_listed_from_the_newest_in_pages(self, uow: UnitOfWork, job_store: JobStore) -> None:
        tenant_id = a_tenant_id()
        jobs = [a_job(tenant_id, status=status) for status in (*JobStatus, JobStatus.QUEUED)]
        for job in jobs:
            await stored(uow, job_store, job)
        async with uow(tenant_id) as tx:
            first = await job_store.list(tx, 4, None, None)
            rest = await job_store.list(tx, 4, first[-1].id, None)
            queued = await job_store.list(tx, 4, None, JobStatus.QUEUED)
        assert [job.id for job in [*first, *rest]] == [job.id for job in reversed(jobs)]
        assert [job.id for job in queued] == [jobs[-1].id, jobs[0].id]

    async def test_what_somebody_queued_and_is_not_over_is_found_from_the_oldest(
        self, uow: UnitOfWork, job_store: JobStore
    ) -> None:
        tenant_id = a_tenant_id()
        jobs = [a_job(tenant_id, status=status, requested_by="key:abc") for status in (*JobStatus, JobStatus.QUEUED)]
        for job in (*jobs, a_job(tenant_id, requested_by="key:other"), a_job(a_tenant_id(), requested_by="key:abc")):
            await stored(uow, job_store, job)
        wanted = [job.id for job in jobs if not job.is_over]
        async with uow(tenant_id) as tx:
            first = await job_store.lock_open(tx, "key:abc", 2, None)
            rest = await job_store.lock_open(tx, "key:abc", 2, first[-1].id)
        assert [job.id for job in first] + [job.id for job in rest] == wanted
        assert len(wanted) == 3

    async def test_another_tenants_job_is_not_there(self, uow: UnitOfWork, job_store: JobStore) -> None:
        theirs = a_job(a_tenant_id())
        await stored(uow, job_store, theirs)
        async with uow(a_tenant_id()) as tx:
            assert list(await job_store.list(tx, 10, None, None)) == []
            for read in (job_store.get, job_store.lock):
                with pytest.raises(UnknownJob):
                    await read(tx, theirs.id)

    async def test_a_job_of_another_release_is_read_and_repaired(self, uow: UnitOfWork, job_store: JobStore) -> None:
        job = rebuilds(a_job)(
            a_tenant_id(),
            kind="No Kind",
            max_attempts=0,
            scopes=frozenset({Scope.CHAT, unheard_of(Scope)}),
            status=unheard_of(JobStatus),
            progress=rebuilds(JobProgress)(3, 1),
            error=JobFailure("later.error", "unheard of"),
            idempotency_key="",
        )
        await stored(uow, job_store, job)
        assert await stored(uow, job_store, rebuilds(a_job)(job.tenant_id, kind=job.kind, idempotency_key="")) == job
        async with uow(job.tenant_id) as tx:
            assert await job_store.get(tx, job.id) == job
            assert list(await job_store.list(tx, 10, None, None)) == [job]
            assert list(await job_store.list(tx, 10, None, JobStatus.QUEUED)) == []
            locked = await job_store.lock(tx, job.id)
            locked.cancel(NOON)
            locked.max_attempts, locked.progress = 1, JobProgress(1, 1)
            await job_store.save(tx, locked)
        async with uow(job.tenant_id) as tx:
            repaired = await job_store.get(tx, job.id)
        assert (repaired.status, repaired.max_attempts, repaired.scopes) == (JobStatus.CANCELLED, 1, job.scopes)


async def stored(uow: UnitOfWork, job_store: JobStore, job: Job) -> Job | None:
    """Commit a new job; return what `add` returned."""
    async with uow(job.tenant_id) as tx:
        return await job_store.add(tx, job)


HandOut = Callable[[Delivery], Awaitable[list[Delivery]]]


class JobQueueContract:
    """Fixtures: `job_queue`, a `uow` of the same technology, and `hand_out`.

    `hand_out(last)` takes what is due from the queue until it comes upon `last`, and returns all of it in order.
    """

    async def test_what_was_committed_is_handed_out_in_order(
        self, uow: UnitOfWork, job_queue: JobQueue, hand_out: HandOut
    ) -> None:
        jobs = [a_job(a_tenant_id()) for _ in range(5)]
        for job in jobs:
            await committed(uow, job_queue, job)
        ours = [job.delivery for job in jobs]
        assert [one for one in await hand_out(ours[-1]) if one in ours] == ours

    async def test_what_was_rolled_back_is_not(self, uow: UnitOfWork, job_queue: JobQueue, hand_out: HandOut) -> None:
        tenant_id = a_tenant_id()

        async def fail() -> None:
            async with uow(tenant_id) as tx:
                await job_queue.enqueue(tx, a_job(tenant_id))
                raise ValueError("no")

        with pytest.raises(ValueError, match="no"):
            await fail()
        assert await all_of(tenant_id, uow, job_queue, hand_out) == []

    async def test_a_delay_is_kept(self, uow: UnitOfWork, job_queue: JobQueue, hand_out: HandOut) -> None:
        tenant_id = a_tenant_id()
        await committed(uow, job_queue, a_job(tenant_id), timedelta(hours=1))
        assert await all_of(tenant_id, uow, job_queue, hand_out) == []

    async def test_a_job_may_be_queued_again(self, uow: UnitOfWork, job_queue: JobQueue, hand_out: HandOut) -> None:
        job = a_job(a_tenant_id())
        await committed(uow, job_queue, job)
        job.ticket += 1
        await committed(uow, job_queue, job)
        handed_out = await all_of(job.tenant_id, uow, job_queue, hand_out)
        assert [one.ticket for one in handed_out] == [1, 2]
        assert {one.job_id for one in handed_out} == {job.id}

    async def test_a_message_is_handed_out_once(self, uow: UnitOfWork, job_queue: JobQueue, hand_out: HandOut) -> None:
        job = a_job(a_tenant_id())
        await committed(uow, job_queue, job)
        assert await all_of(job.tenant_id, uow, job_queue, hand_out) == [job.delivery]
        assert await all_of(job.tenant_id, uow, job_queue, hand_out) == []


async def committed(uow: UnitOfWork, job_queue: JobQueue, job: Job, delay: timedelta = timedelta()) -> None:
    """Queue a job in a transaction of its own."""
    async with uow(job.tenant_id) as tx:
        await job_queue.enqueue(tx, job, delay)


async def all_of(tenant_id: TenantId, uow: UnitOfWork, job_queue: JobQueue, hand_out: HandOut) -> list[Delivery]:
    """Return what the queue holds for a tenant: it comes before a job that is queued now."""
    last = a_job(a_tenant_id())
    await committed(uow, job_queue, last)
    return [one for one in await hand_out(last.delivery) if one.tenant_id == tenant_id]
