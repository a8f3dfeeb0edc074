import msgspec
import pytest
from structlog.testing import capture_logs

from omni_core.adapters.memory.database import MemoryDatabase
from omni_core.adapters.memory.jobs import MemoryJobQueue, MemoryJobStore
from omni_core.domain.jobs.api import JobContext, JobHandler, JobRunner, Jobs, by_kind
from omni_core.domain.kernel.errors import Forbidden
from omni_core.domain.kernel.tenancy import Principal, TenantId
from omni_core.testing import FixedClock, SequentialIds
from omni_core.testing.builders.kernel import a_tenant_id
from omni_workers.delivery import Deliveries
from omni_workers.outcomes import worth_retrying


class Nothing(msgspec.Struct, frozen=True):
    pass


class Bench:
    def __init__(self) -> None:
        self.clock = FixedClock()
        self.database = MemoryDatabase(self.clock, SequentialIds())
        self.queue = MemoryJobQueue(self.database)
        self.principal = Principal.operator(TenantId(a_tenant_id()))

    async def deliver(self, error: Exception | None = None, store: MemoryJobStore | None = None) -> list[bool]:
        async def handle(context: JobContext, arguments: Nothing) -> None:
            self.clock.advance(1.5)
            if error is not None:
                raise error

        handlers = by_kind(JobHandler("testing.work", Nothing, handle))
        jobs = Jobs(self.database.begin, MemoryJobStore(), self.queue, self.clock, SequentialIds())
        await jobs.submit(self.principal, "testing.work", {})
        runner = JobRunner(
            self.database.begin,
            store or MemoryJobStore(),
            self.queue,
            self.clock,
            handlers,
            worth_retrying=worth_retrying,
        )
        return await self.queue.run_pending(Deliveries(runner, self.clock).take)


@pytest.mark.parametrize(
    "error, level, ending, code",
    [
        (None, "info", "succeeded", None),
        (Forbidden("not you"), "warning", "failed", "forbidden"),
        (RuntimeError("what"), "error", "retried", "internal"),
    ],
    ids=repr,
)
async def test_each_job_leaves_one_line_in_the_log(error, level, ending, code):
    with capture_logs() as lines:
        assert await Bench().deliver(error) == [True]
    (line,) = lines
    assert (line["event"], line["log_level"], line["ending"]) == ("job.ended", level, ending)
    assert (line["kind"], line["attempt"], line["seconds"]) == ("testing.work", 1, 1.5)
    assert line.get("code") == code
    assert line["exc_info"] is (error if isinstance(error, RuntimeError) else None)


class BrokenStore(MemoryJobStore):
    async def save(self, tx, job):
        raise OSError("the disk is full")


async def test_a_job_that_cannot_be_settled_comes_again():
    with capture_logs() as lines:
        assert await Bench().deliver(store=BrokenStore()) == [False]
    assert [line["event"] for line in lines] == ["job.unsettled"]
