import asyncio
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from omni_core.domain.jobs.api import Ending, JobContext, JobFailure, JobHandler, JobProgress, JobStatus, by_kind
from omni_core.domain.kernel.errors import DependencyFailed, Invalid, OmniError

KIND = "testing.work"


class Work(msgspec.Struct, frozen=True):
    steps: int = 1


class Done(msgspec.Struct, frozen=True):
    steps: int


class ProviderDown(DependencyFailed):
    """The provider is down."""

    code = "testing.provider_down"
    retryable = True


class WrongInput(Invalid):
    """The input is wrong."""

    code = "testing.wrong_input"


def handler(handle) -> JobHandler[Work]:
    return JobHandler(KIND, Work, handle)


def raising(*errors: Exception | None) -> JobHandler[Work]:
    left = list(errors)

    async def handle(context: JobContext, work: Work) -> Done:
        error = left.pop(0)
        if error is not None:
            raise error
        return Done(work.steps)

    return handler(handle)


async def submit(bench, **arguments: Any):
    return await bench.jobs.submit(bench.principal, KIND, arguments, max_attempts=3)


async def test_a_handler_gets_typed_arguments_and_gives_the_result(bench):
    seen = []

    async def handle(context: JobContext, work: Work) -> Done:
        seen.append((context.job_id, context.attempt, context.principal))
        return Done(work.steps)

    job = await submit(bench, steps=7)
    (run,) = await bench.run_pending(handler(handle))
    stored = await bench.stored(job)
    assert (run.ending, run.job) == (Ending.SUCCEEDED, stored)
    assert (stored.status, stored.result, stored.attempts) == (JobStatus.SUCCEEDED, {"steps": 7}, 1)
    assert seen == [(job.id, 1, job.principal)]
    assert await bench.events() == ["queued", "started", "succeeded"]


async def test_a_handler_may_return_nothing(bench):
    async def handle(context: JobContext, work: Work) -> None: ...

    job = await submit(bench)
    await bench.run_pending(handler(handle))
    stored = await bench.stored(job)
    assert (stored.status, stored.result) == (JobStatus.SUCCEEDED, None)


async def test_a_job_that_is_done_is_not_run_again(bench):
    job = await submit(bench)
    runner = bench.runner(raising(None))
    assert (await runner.run(job.delivery)).ending is Ending.SUCCEEDED
    assert (await runner.run(job.delivery)).ending is Ending.VOID


async def test_a_message_without_a_job_is_void(bench):
    job = await submit(bench)
    unknown = msgspec.structs.replace(job.delivery, job_id=bench.principal.tenant_id)
    assert (await bench.runner().run(unknown)).ending is Ending.VOID


async def test_what_may_pass_is_tried_again_after_longer_and_longer_pauses(bench):
    job = await submit(bench)
    handlers = raising(ProviderDown(), ProviderDown(), None)
    assert [run.ending for run in await bench.run_pending(handlers)] == [Ending.RETRIED]
    stored = await bench.stored(job)
    assert (stored.status, stored.error) == (JobStatus.QUEUED, JobFailure(ProviderDown.code, "The provider is down"))
    assert stored.run_after == bench.clock.now() + timedelta(seconds=5)
    assert await bench.run_pending(handlers) == []
    bench.clock.advance(5)
    assert [run.ending for run in await bench.run_pending(handlers)] == [Ending.RETRIED]
    bench.clock.advance(19)
    assert await bench.run_pending(handlers) == []
    bench.clock.advance(1)
    assert [run.ending for run in await bench.run_pending(handlers)] == [Ending.SUCCEEDED]
    assert (await bench.stored(job)).error is None
    assert await bench.events() == ["queued", *["started", "retried"] * 2, "started", "succeeded"]


async def test_attempts_come_to_an_end(bench):
    job = await submit(bench)
    for _ in range(3):
        await bench.run_pending(raising(ProviderDown()))
        bench.clock.advance(timedelta(minutes=10))
    assert await bench.run_pending() == []
    stored = await bench.stored(job)
    assert (stored.status, stored.attempts, stored.error.code) == (JobStatus.FAILED, 3, ProviderDown.code)


async def test_what_will_not_pass_fails_at_once(bench):
    job = await submit(bench)
    (run,) = await bench.run_pending(raising(WrongInput("it is wrong")))
    assert run.ending is Ending.FAILED
    stored = await bench.stored(job)
    assert (stored.status, stored.error) == (JobStatus.FAILED, JobFailure(WrongInput.code, "it is wrong"))


async def test_what_nobody_foresaw_is_retried_and_told_to_the_log_only(bench):
    job = await submit(bench)
    error = RuntimeError("secret")
    (run,) = await bench.run_pending(raising(error))
    assert (run.ending, run.cause) == (Ending.RETRIED, error)
    assert (await bench.stored(job)).error == JobFailure("internal", OmniError.title())


async def test_arguments_that_do_not_fit_fail_at_once(bench):
    job = await submit(bench, steps="many")
    await bench.run_pending(raising(None))
    stored = await bench.stored(job)
    assert (stored.status, stored.error.code) == (JobStatus.FAILED, "jobs.invalid_arguments")
    assert "$.steps" in stored.error.detail


async def test_a_kind_that_no_worker_knows_waits_for_one_that_does(bench):
    job = await submit(bench)
    assert [run.ending for run in await bench.run_pending()] == [Ending.RETRIED]
    assert (await bench.stored(job)).error.code == "jobs.unknown_kind"
    bench.clock.advance(5)
    assert [run.ending for run in await bench.run_pending(raising(None))] == [Ending.SUCCEEDED]


async def test_a_result_that_cannot_be_stored_is_a_failure(bench):
    class Huge(msgspec.Struct):
        text: str

    async def handle(context: JobContext, work: Work) -> Huge:
        return Huge("x" * 100_000)

    job = await submit(bench)
    await bench.run_pending(handler(handle))
    assert (await bench.stored(job)).status is JobStatus.FAILED


async def test_progress_is_stored_now_and_then_and_at_the_end(bench):
    seen = []

    async def handle(context: JobContext, work: Work) -> None:
        for step in range(1, 6):
            await context.progress(step, 5, f"step {step}")
            seen.append((await bench.jobs.get(bench.principal, context.job_id)).progress.current)
            bench.clock.advance(0.1)

    job = await submit(bench)
    await bench.run_pending(handler(handle))
    assert seen == [1, 1, 1, 4, 4]
    assert (await bench.stored(job)).progress == JobProgress(5, 5, "step 5")


async def test_a_running_job_stops_where_it_reports_progress_after_a_wish_to_cancel(bench):
    reached = []

    async def handle(context: JobContext, work: Work) -> None:
        await bench.jobs.cancel(bench.principal, context.job_id)
        reached.append("before")
        await context.progress(1, 2)
        reached.append("after")

    job = await submit(bench)
    (run,) = await bench.run_pending(handler(handle))
    assert (run.ending, reached) == (Ending.CANCELLED, ["before"])
    assert (await bench.stored(job)).status is JobStatus.CANCELLED
    assert await bench.events() == ["queued", "started", "cancelled"]


async def test_a_failure_after_a_wish_to_cancel_is_not_retried(bench):
    async def handle(context: JobContext, work: Work) -> None:
        await bench.jobs.cancel(bench.principal, context.job_id)
        raise ProviderDown

    job = await submit(bench)
    await bench.run_pending(handler(handle))
    assert (await bench.stored(job)).status is JobStatus.CANCELLED
    assert await bench.run_pending() == []


@pytest.mark.parametrize("reports", [True, False])
async def test_a_worker_that_was_taken_for_dead_settles_nothing(bench, reports):
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow(context: JobContext, work: Work) -> Done:
        begun.set()
        await go_on.wait()
        if reports:
            await context.progress(1, 2)
        return Done(1)

    async def quick(context: JobContext, work: Work) -> Done:
        return Done(2)

    job = await submit(bench)
    first = asyncio.create_task(bench.runner(handler(slow)).run(job.delivery))
    await begun.wait()
    assert (await bench.runner(handler(quick)).run(job.delivery)).ending is Ending.SUCCEEDED
    go_on.set()
    assert (await first).ending is Ending.SUPERSEDED
    stored = await bench.stored(job)
    assert (stored.result, stored.attempts, stored.progress) == ({"steps": 2}, 2, None)


async def test_a_worker_that_is_stopped_leaves_the_job_to_the_next(bench):
    begun = asyncio.Event()

    async def slow(context: JobContext, work: Work) -> None:
        begun.set()
        await asyncio.Event().wait()

    job = await submit(bench)
    first = asyncio.create_task(bench.runner(handler(slow)).run(job.delivery))
    await begun.wait()
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    assert (await bench.stored(job)).status is JobStatus.RUNNING
    assert (await bench.runner(raising(None)).run(job.delivery)).ending is Ending.SUCCEEDED


def test_two_handlers_for_one_kind_are_refused():
    with pytest.raises(ValueError, match="same kind"):
        by_kind(raising(), raising())
