from datetime import timedelta
from typing import Any

import pytest

from omni_core.domain.jobs.errors import CancelRequested, InvalidJob, Superseded, WrongStatus
from omni_core.domain.jobs.events import JobCancelled, JobFailed, JobQueued, JobRetried, JobStarted, JobSucceeded
from omni_core.domain.jobs.model import Job
from omni_core.domain.jobs.values import Delivery, JobFailure, JobProgress, JobStatus
from omni_core.domain.kernel.tenancy import Principal, Scope
from omni_core.testing.builders.jobs import a_job
from omni_core.testing.builders.kernel import a_tenant_id
from omni_core.testing.clock import NOON

LATER = NOON + timedelta(minutes=1)
BROKEN = JobFailure("llm.unreachable", "The provider cannot be reached")


def running(**given: Any) -> Job:
    job = a_job(a_tenant_id(), **given)
    job.begin(NOON)
    return job


def in_status(status: JobStatus) -> Job:
    job = running()
    if status is JobStatus.SUCCEEDED:
        job.succeed({}, NOON)
    elif status is JobStatus.FAILED:
        job.fail(BROKEN, NOON, retry_at=None)
    elif status is JobStatus.CANCELLED:
        job.cancel(NOON)
        job.fail(BROKEN, NOON, retry_at=None)
    elif status is JobStatus.QUEUED:
        return a_job(a_tenant_id())
    assert job.status is status
    return job


@pytest.mark.parametrize(
    "given",
    [
        {"kind": "billing"},
        {"kind": "Billing.close"},
        {"kind": "billing.close\n"},
        {"kind": "a." + "b" * 99},
        {"max_attempts": 0},
        {"max_attempts": 51},
        {"idempotency_key": ""},
        {"idempotency_key": "k" * 201},
    ],
    ids=repr,
)
def test_what_cannot_be_a_job_is_refused(given):
    with pytest.raises(InvalidJob):
        a_job(a_tenant_id(), **given)


def test_a_job_acts_for_its_tenant_with_the_rights_of_who_queued_it():
    job = a_job(a_tenant_id(), scopes=frozenset({Scope.BILLING_WRITE}))
    assert job.principal == Principal(job.tenant_id, f"job:{job.id}", frozenset({Scope.BILLING_WRITE}))


def test_an_attempt_begins_and_succeeds():
    job = a_job(a_tenant_id())
    assert job.begin(NOON) == [JobStarted(job.id, job.kind, 1)]
    assert (job.status, job.attempts, job.started_at) == (JobStatus.RUNNING, 1, NOON)
    assert job.succeed({"total": 3}, LATER) == [JobSucceeded(job.id, job.kind)]
    assert (job.status, job.result, job.error, job.finished_at) == (JobStatus.SUCCEEDED, {"total": 3}, None, LATER)


def test_a_failure_with_a_time_to_retry_waits_under_a_new_ticket():
    job = running()
    before = job.delivery
    assert job.fail(BROKEN, NOON, retry_at=LATER) == [JobRetried(job.id, job.kind, 1, BROKEN.code)]
    assert (job.status, job.error, job.run_after, job.finished_at) == (JobStatus.QUEUED, BROKEN, LATER, None)
    assert not job.accepts(before)
    assert job.accepts(job.delivery)


def test_success_after_a_failure_leaves_no_error():
    job = running()
    job.fail(BROKEN, NOON, retry_at=LATER)
    job.begin(LATER)
    job.succeed(None, LATER)
    assert (job.error, job.attempts) == (None, 2)


@pytest.mark.parametrize("max_attempts, retry_at", [(1, LATER), (5, None)])
def test_a_failure_without_another_attempt_is_final(max_attempts, retry_at):
    job = running(max_attempts=max_attempts)
    assert job.fail(BROKEN, LATER, retry_at=retry_at) == [JobFailed(job.id, job.kind, BROKEN.code)]
    assert (job.status, job.error, job.finished_at) == (JobStatus.FAILED, BROKEN, LATER)


def test_a_job_whose_worker_was_lost_begins_again_until_its_attempts_are_used_up():
    job = running(max_attempts=2)
    job.report(1, JobProgress(1, 2))
    assert job.begin(LATER) == [JobStarted(job.id, job.kind, 2)]
    assert (job.attempts, job.started_at, job.progress) == (2, LATER, None)
    assert job.begin(LATER) == [JobFailed(job.id, job.kind, "jobs.worker_lost")]
    assert job.status is JobStatus.FAILED


def test_an_attempt_that_is_not_the_last_is_superseded():
    job = running()
    job.begin(LATER)
    with pytest.raises(Superseded):
        job.report(1, JobProgress(1, 2))
    with pytest.raises(Superseded):
        job.check_current(1)
    job.check_current(2)


def test_cancelling_a_waiting_job_ends_it():
    job = a_job(a_tenant_id())
    assert job.cancel(LATER) == [JobCancelled(job.id, job.kind)]
    assert (job.status, job.finished_at) == (JobStatus.CANCELLED, LATER)
    assert job.cancel(LATER) == []
    assert not job.accepts(job.delivery)


def test_cancelling_a_running_job_asks_it_to_stop():
    job = running()
    assert job.cancel(LATER) == []
    assert (job.status, job.cancel_requested) == (JobStatus.RUNNING, True)
    with pytest.raises(CancelRequested):
        job.report(1, JobProgress(1, 2))
    assert job.fail(BROKEN, LATER, retry_at=LATER) == [JobCancelled(job.id, job.kind)]
    assert (job.status, job.cancel_requested) == (JobStatus.CANCELLED, False)


def test_a_wish_to_cancel_that_comes_too_late_is_forgotten():
    job = running()
    job.cancel(LATER)
    assert job.succeed(None, LATER) == [JobSucceeded(job.id, job.kind)]
    assert not job.cancel_requested


def test_a_lost_worker_ends_a_job_that_should_be_cancelled():
    job = running()
    job.cancel(LATER)
    assert job.begin(LATER) == [JobCancelled(job.id, job.kind)]


@pytest.mark.parametrize("status", [JobStatus.FAILED, JobStatus.CANCELLED])
def test_what_failed_or_was_cancelled_can_be_queued_again(status):
    job = in_status(status)
    old = job.delivery
    again = Principal(job.tenant_id, "key:other", frozenset({Scope.JOBS_WRITE}))
    assert job.queue_again(again, LATER) == [JobQueued(job.id, job.kind)]
    assert (job.status, job.attempts, job.error, job.finished_at) == (JobStatus.QUEUED, 0, None, None)
    assert (job.requested_by, job.scopes, job.run_after) == ("key:other", frozenset({Scope.JOBS_WRITE}), LATER)
    assert not job.accepts(old)


@pytest.mark.parametrize(
    "status, change",
    [
        (JobStatus.SUCCEEDED, "begin"),
        (JobStatus.FAILED, "begin"),
        (JobStatus.CANCELLED, "begin"),
        (JobStatus.SUCCEEDED, "cancel"),
        (JobStatus.FAILED, "cancel"),
        (JobStatus.QUEUED, "succeed"),
        (JobStatus.SUCCEEDED, "succeed"),
        (JobStatus.QUEUED, "fail"),
        (JobStatus.CANCELLED, "fail"),
        (JobStatus.QUEUED, "queue_again"),
        (JobStatus.RUNNING, "queue_again"),
        (JobStatus.SUCCEEDED, "queue_again"),
    ],
)
def test_no_other_way_leads_from_a_status(status, change):
    job = in_status(status)
    changes = {
        "begin": lambda: job.begin(LATER),
        "cancel": lambda: job.cancel(LATER),
        "succeed": lambda: job.succeed(None, LATER),
        "fail": lambda: job.fail(BROKEN, LATER, retry_at=None),
        "queue_again": lambda: job.queue_again(job.principal, LATER),
    }
    with pytest.raises(WrongStatus) as refused:
        changes[change]()
    assert refused.value.fields == {"job_id": str(job.id), "status": status.value}
    assert job.status is status


def test_a_job_accepts_no_message_but_its_own():
    job = a_job(a_tenant_id())
    assert job.accepts(Delivery(job.tenant_id, job.id, 1))
    assert not job.accepts(Delivery(a_tenant_id(), job.id, 1))
    assert not job.accepts(Delivery(job.tenant_id, job.id, 2))
