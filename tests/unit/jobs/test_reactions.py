from typing import Any

import msgspec

from omni_core.adapters.memory.events import memory_event_storage
from omni_core.domain.events.api import Retries, SubscriptionRunner, Visit
from omni_core.domain.jobs.api import JobContext, JobHandler, JobStatus, cancel_for_revoked_key
from omni_core.domain.kernel.tenancy import Principal
from omni_core.domain.tenancy.api import ApiKey, ApiKeyRevoked
from omni_core.testing.builders.tenancy import an_api_key
from omni_core.testing.clock import NOON

KIND = "testing.work"


class Work(msgspec.Struct, frozen=True):
    steps: int = 1


async def react(bench: Any) -> Visit:
    subscription = cancel_for_revoked_key(bench.store, bench.clock)
    storage = memory_event_storage(bench.database)
    return await SubscriptionRunner(storage, [subscription], Retries(lambda _: False)).run(bench.tenant_id)


async def revoke(bench: Any, key: ApiKey) -> None:
    async with bench.database.begin(bench.tenant_id) as tx:
        await tx.record(*key.revoke(NOON))


def holder_of(bench: Any) -> tuple[ApiKey, Principal]:
    key = an_api_key(bench.tenant_id)
    return key, key.admit(NOON)


async def test_what_a_revoked_key_had_queued_is_cancelled_and_nothing_else(bench):
    key, holder = holder_of(bench)
    theirs = [await bench.jobs.submit(holder, KIND, {}) for _ in range(150)]
    others = await bench.jobs.submit(bench.principal, KIND, {})
    await revoke(bench, key)
    assert (await react(bench)).handled == 1
    assert {(await bench.stored(job)).status for job in theirs} == {JobStatus.CANCELLED}
    assert (await bench.stored(others)).status is JobStatus.QUEUED
    assert (await bench.events()).count("cancelled") == 150


async def test_what_a_revoked_key_has_running_is_asked_to_stop(bench):
    key, holder = holder_of(bench)
    job = await bench.jobs.submit(holder, KIND, {})

    async def handle(context: JobContext, arguments: Work) -> None:
        await revoke(bench, key)
        await react(bench)
        await context.progress(1, 2)

    await bench.run_pending(JobHandler(KIND, Work, handle))
    assert (await bench.stored(job)).status is JobStatus.CANCELLED


async def test_what_somebody_else_has_queued_again_goes_on(bench):
    key, holder = holder_of(bench)
    job = await bench.jobs.submit(holder, KIND, {})
    await bench.jobs.cancel(holder, job.id)
    await bench.jobs.retry(Principal.operator(bench.tenant_id), job.id)
    await revoke(bench, key)
    await react(bench)
    assert (await bench.stored(job)).status is JobStatus.QUEUED


async def test_a_revocation_of_an_older_release_does_nothing(bench):
    key, holder = holder_of(bench)
    job = await bench.jobs.submit(holder, KIND, {})
    async with bench.database.begin(bench.tenant_id) as tx:
        await tx.record(ApiKeyRevoked(key.id))
    visit = await react(bench)
    assert (visit.handled, visit.setbacks) == (1, ())
    assert (await bench.stored(job)).status is JobStatus.QUEUED
