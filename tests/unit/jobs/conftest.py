from dataclasses import dataclass, field
from typing import Any

import pytest

from omni_core.adapters.memory.database import MemoryDatabase
from omni_core.adapters.memory.events import MemoryEventLog
from omni_core.adapters.memory.jobs import MemoryJobQueue, MemoryJobStore
from omni_core.domain.jobs.api import JobHandler, JobRunner, Jobs, Run, by_kind
from omni_core.domain.jobs.model import Job
from omni_core.domain.kernel.errors import OmniError
from omni_core.domain.kernel.pages import PageRequest
from omni_core.domain.kernel.tenancy import TENANT_SCOPES, Principal, TenantId
from omni_core.testing import FixedClock, SequentialIds
from omni_core.testing.builders.kernel import a_tenant_id


def retryable(error: Exception) -> bool:
    return not isinstance(error, OmniError) or error.retryable


@dataclass
class Bench:
    """Jobs on memory adapters, and a runner with the handlers that the test puts in."""

    clock: FixedClock = field(default_factory=FixedClock)
    tenant_id: TenantId = field(default_factory=a_tenant_id)

    def __post_init__(self) -> None:
        ids = SequentialIds()
        self.database = MemoryDatabase(self.clock, ids)
        self.store = MemoryJobStore()
        self.queue = MemoryJobQueue(self.database)
        self.jobs = Jobs(self.database.begin, self.store, self.queue, self.clock, ids)
        self.principal = Principal(self.tenant_id, "key:abc", TENANT_SCOPES)

    def runner(self, *handlers: JobHandler[Any]) -> JobRunner:
        return JobRunner(
            self.database.begin, self.store, self.queue, self.clock, by_kind(*handlers), worth_retrying=retryable
        )

    async def run_pending(self, *handlers: JobHandler[Any]) -> list[Run]:
        return await self.queue.run_pending(self.runner(*handlers).run)

    async def stored(self, job: Job) -> Job:
        return await self.jobs.get(self.principal, job.id)

    async def events(self) -> list[str]:
        async with self.database.begin(self.tenant_id) as tx:
            page = await MemoryEventLog().read(tx, PageRequest(limit=500))
        return [event.event_type.removeprefix("jobs.job_") for event in page.items]


@pytest.fixture
def bench() -> Bench:
    return Bench()
