import pytest

from omni_core.domain.jobs.errors import InvalidArguments, InvalidJob, KeyReused, UnknownJob, WrongStatus
from omni_core.domain.jobs.values import JobStatus
from omni_core.domain.kernel.errors import MissingScope
from omni_core.domain.kernel.pages import PageRequest
from omni_core.domain.kernel.tenancy import Principal, Scope
from omni_core.testing.builders.kernel import a_tenant_id

KIND = "testing.work"


def with_scopes(bench, *scopes: Scope) -> Principal:
    return Principal(bench.tenant_id, "key:narrow", frozenset(scopes))


async def test_a_submitted_job_waits_for_a_worker(bench):
    job = await bench.jobs.submit(bench.principal, KIND, {"parts": (1, 2)}, max_attempts=2)
    assert await bench.stored(job) == job
    assert (job.status, job.arguments, job.max_attempts) == (JobStatus.QUEUED, {"parts": [1, 2]}, 2)
    assert (job.requested_by, job.scopes, job.created_at) == ("key:abc", bench.principal.scopes, bench.clock.now())
    assert await bench.events() == ["queued"]


async def test_a_change_that_fails_queues_nothing(bench):
    async def change() -> None:
        async with bench.database.begin(bench.tenant_id) as tx:
            await bench.jobs.enqueue(tx, bench.principal, KIND, {})
            raise ValueError("the change failed")

    with pytest.raises(ValueError, match="the change failed"):
        await change()
    assert (await bench.jobs.list(bench.principal, PageRequest())).items == ()
    assert await bench.run_pending() == []
    assert await bench.events() == []


async def test_a_change_of_one_tenant_queues_no_job_of_another(bench):
    async with bench.database.begin(a_tenant_id()) as tx:
        with pytest.raises(ValueError, match="another tenant"):
            await bench.jobs.enqueue(tx, bench.principal, KIND, {})


@pytest.mark.parametrize(
    "kind, arguments, error", [("nonsense", {}, InvalidJob), (KIND, {"a": object()}, InvalidArguments)]
)
async def test_what_cannot_be_a_job_is_not_queued(bench, kind, arguments, error):
    with pytest.raises(error):
        await bench.jobs.submit(bench.principal, kind, arguments)
    assert await bench.events() == []


async def test_a_key_queues_once(bench):
    jobs = [await bench.jobs.submit(bench.principal, KIND, {"month": 11}, idempotency_key="11") for _ in range(3)]
    assert len({job.id for job in jobs}) == 1
    assert len(await bench.run_pending()) == 1
    assert await bench.events() == ["queued", "started", "retried"]


async def test_a_key_with_other_arguments_is_refused(bench):
    await bench.jobs.submit(bench.principal, KIND, {"month": 11}, idempotency_key="11")
    with pytest.raises(KeyReused):
        await bench.jobs.submit(bench.principal, KIND, {"month": 12}, idempotency_key="11")


async def test_a_key_queues_what_was_cancelled_again_with_the_rights_of_who_asks(bench):
    job = await bench.jobs.submit(bench.principal, KIND, {}, idempotency_key="11")
    await bench.jobs.cancel(bench.principal, job.id)
    narrow = with_scopes(bench, Scope.JOBS_WRITE)
    again = await bench.jobs.submit(narrow, KIND, {}, idempotency_key="11")
    assert (again.id, again.status, again.scopes) == (job.id, JobStatus.QUEUED, narrow.scopes)


async def test_jobs_are_listed_from_the_newest_by_status(bench):
    first, second, third = [await bench.jobs.submit(bench.principal, KIND, {"n": n}) for n in range(3)]
    await bench.jobs.cancel(bench.principal, second.id)
    page = await bench.jobs.list(bench.principal, PageRequest(limit=1), JobStatus.QUEUED)
    assert [job.id for job in page.items] == [third.id]
    page = await bench.jobs.list(bench.principal, PageRequest(limit=1, cursor=page.next_cursor), JobStatus.QUEUED)
    assert [job.id for job in page.items] == [first.id]
    assert page.next_cursor is None


async def test_a_waiting_job_is_cancelled_and_its_message_is_void(bench):
    job = await bench.jobs.submit(bench.principal, KIND, {})
    assert (await bench.jobs.cancel(bench.principal, job.id)).status is JobStatus.CANCELLED
    assert [run.ending for run in await bench.run_pending()] == ["void"]
    assert await bench.events() == ["queued", "cancelled"]


async def test_a_cancelled_job_is_retried(bench):
    job = await bench.jobs.submit(bench.principal, KIND, {})
    with pytest.raises(WrongStatus):
        await bench.jobs.retry(bench.principal, job.id)
    await bench.jobs.cancel(bench.principal, job.id)
    assert (await bench.jobs.retry(bench.principal, job.id)).status is JobStatus.QUEUED
    assert await bench.events() == ["queued", "cancelled", "queued"]


async def test_another_tenants_job_is_not_found(bench):
    job = await bench.jobs.submit(bench.principal, KIND, {})
    stranger = Principal.operator(a_tenant_id())
    for ask in (bench.jobs.get, bench.jobs.cancel, bench.jobs.retry):
        with pytest.raises(UnknownJob):
            await ask(stranger, job.id)
    assert (await bench.jobs.list(stranger, PageRequest())).items == ()


async def test_each_use_case_wants_its_scope(bench):
    job = await bench.jobs.submit(bench.principal, KIND, {})
    reader, writer = with_scopes(bench, Scope.JOBS_READ), with_scopes(bench, Scope.JOBS_WRITE)
    for use_case, principal, given in (
        (bench.jobs.submit, reader, (KIND, {})),
        (bench.jobs.cancel, reader, (job.id,)),
        (bench.jobs.retry, reader, (job.id,)),
        (bench.jobs.get, writer, (job.id,)),
        (bench.jobs.list, writer, (PageRequest(),)),
    ):
        with pytest.raises(MissingScope):
            await use_case(principal, *given)
