import asyncio

import pytest

from omni_core.adapters.memory.jobs import MemoryJobQueue, MemoryJobStore
from omni_core.adapters.postgres.job_consumer import PgQueuerConsumer
from omni_core.adapters.postgres.job_queue import PgQueuerJobQueue
from omni_core.adapters.postgres.jobs import PostgresJobStore
from omni_core.domain.jobs.api import Delivery
from omni_core.testing.contracts.jobs import JobQueueContract, JobStoreContract
from tests.support.backends import on_each


class TestJobStore(JobStoreContract):
    job_store = on_each(MemoryJobStore, PostgresJobStore)


class TestJobQueue(JobQueueContract):
    job_queue = on_each(MemoryJobQueue, PgQueuerJobQueue)

    @pytest.fixture
    def hand_out(self, request, job_queue):
        if isinstance(job_queue, MemoryJobQueue):
            return from_memory(job_queue)
        return from_postgres(request.getfixturevalue("owner_url"))


def from_memory(queue: MemoryJobQueue):
    async def hand_out(last: Delivery) -> list[Delivery]:
        handed_out: list[Delivery] = []

        async def take(delivery: Delivery) -> None:
            handed_out.append(delivery)

        await queue.run_pending(take)
        assert last in handed_out
        return handed_out

    return hand_out


def from_postgres(url: str):
    async def hand_out(last: Delivery) -> list[Delivery]:
        handed_out: list[Delivery] = []
        stop = asyncio.Event()

        async def take(delivery: Delivery) -> bool:
            handed_out.append(delivery)
            if delivery == last:
                stop.set()
            return True

        async with asyncio.timeout(20):
            await PgQueuerConsumer(url, heartbeat_s=1).consume(take, stop, lambda: None)
        return handed_out

    return hand_out
