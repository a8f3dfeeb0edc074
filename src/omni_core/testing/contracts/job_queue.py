"""What every JobQueue does, as far as the workers' end shows it."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from omni_core.domain.jobs.model import Job
from omni_core.domain.jobs.ports import JobQueue
from omni_core.domain.jobs.values import Delivery
from omni_core.domain.kernel.tenancy import TenantId
from omni_core.domain.kernel.uow import UnitOfWork
from omni_core.testing.builders import a_job, a_tenant_id

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
