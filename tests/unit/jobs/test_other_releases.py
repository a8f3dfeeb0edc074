"""Jobs whose rows another release wrote."""

from collections.abc import Callable
from typing import Any

import pytest

from omni_core.domain.jobs.api import Ending, JobFailure, JobHandler, JobProgress, JobStatus
from omni_core.domain.jobs.errors import UnknownStatus, WrongStatus
from omni_core.domain.jobs.model import Job
from omni_core.domain.kernel.errors import MissingScope
from omni_core.domain.kernel.pages import PageRequest
from omni_core.domain.kernel.stored import rebuilds
from omni_core.domain.kernel.tenancy import Scope
from omni_core.testing.builders.jobs import a_job
from omni_core.testing.builders.kernel import unheard_of
from tests.unit.jobs.conftest import Bench
from tests.unit.jobs.test_runner import Work

ODD = unheard_of(JobStatus)


def an_odd_job(bench: Bench, **given: Any) -> Job:
    odd = {"progress": rebuilds(JobProgress)(3, 1), "scopes": frozenset({Scope.CHAT, unheard_of(Scope)}), **given}
    return rebuilds(a_job)(bench.tenant_id, **odd)


async def queued(bench: Bench, job: Job) -> Job:
    async with bench.database.begin(bench.tenant_id) as tx:
        await bench.store.add(tx, job)
        await bench.queue.enqueue(tx, job)
    return job


async def test_it_is_listed_and_shown(bench):
    job = await queued(bench, an_odd_job(bench, status=ODD))
    assert (await bench.jobs.list(bench.principal, PageRequest())).items == (job,)
    assert (await bench.jobs.list(bench.principal, PageRequest(), JobStatus.QUEUED)).items == ()
    assert await bench.jobs.get(bench.principal, job.id) == job


async def test_one_whose_status_nobody_knows_is_not_begun_and_its_message_comes_again(bench):
    job = await queued(bench, an_odd_job(bench, status=ODD))
    with pytest.raises(UnknownStatus) as raised:
        await bench.run_pending()
    assert raised.value.retryable
    assert await bench.stored(job) == job
    assert await bench.events() == []


def test_one_whose_status_nobody_knows_cannot_be_begun_or_settled(bench):
    job = an_odd_job(bench, status=ODD)
    settles: list[Callable[[], object]] = [
        lambda: job.begin(job.created_at),
        lambda: job.succeed(None, job.created_at),
        lambda: job.fail(JobFailure("a", "b"), job.created_at, retry_at=None),
        lambda: job.queue_again(bench.principal, job.created_at),
    ]
    for settle in settles:
        with pytest.raises(WrongStatus):
            settle()
    assert job.status == ODD


async def test_its_message_is_void_once_it_was_queued_again_or_cancelled(bench):
    job = await queued(bench, an_odd_job(bench, status=ODD))
    assert not job.accepts(an_odd_job(bench, id=job.id, ticket=job.ticket + 1).delivery)
    cancelled = await bench.jobs.cancel(bench.principal, job.id)
    assert cancelled.status is JobStatus.CANCELLED
    (run,) = await bench.run_pending()
    assert run.ending is Ending.VOID
    assert await bench.events() == ["cancelled"]


async def test_one_that_was_cancelled_can_be_queued_again_and_run(bench):
    async def handle(context, work: Work) -> None: ...

    job = await queued(bench, an_odd_job(bench, status=ODD))
    await bench.jobs.cancel(bench.principal, job.id)
    await bench.jobs.retry(bench.principal, job.id)
    runs = await bench.run_pending(JobHandler(job.kind, Work, handle))
    assert [run.ending for run in runs] == [Ending.VOID, Ending.SUCCEEDED]


async def test_one_that_waits_is_run_with_the_rights_that_are_known(bench):
    principals = []

    async def handle(context, work: Work) -> None:
        principals.append(context.principal)

    job = await queued(bench, an_odd_job(bench))
    (run,) = await bench.run_pending(JobHandler(job.kind, Work, handle))
    assert run.ending is Ending.SUCCEEDED
    (principal,) = principals
    principal.require(Scope.CHAT)
    with pytest.raises(MissingScope):
        principal.require(Scope.BILLING_WRITE)


async def test_the_same_key_finds_it_and_leaves_it_as_it_is(bench):
    job = await queued(bench, an_odd_job(bench, status=ODD, idempotency_key="once"))
    found = await bench.jobs.submit(bench.principal, job.kind, job.arguments, idempotency_key="once")
    assert found == job
