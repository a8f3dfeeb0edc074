"""What jobs do about what happens elsewhere."""

from omni_core.domain.events.api import Subscription
from omni_core.domain.jobs.ports import JobStore
from omni_core.domain.kernel.clock import Clock
from omni_core.domain.kernel.events import RecordedEvent
from omni_core.domain.kernel.uow import Transaction
from omni_core.domain.tenancy.api import ApiKeyRevoked, subject_of

_AT_ONCE = 100


def cancel_for_revoked_key(store: JobStore, clock: Clock) -> Subscription:
    """Return the subscription that cancels what a revoked key had queued, and asks what runs to stop."""

    async def handle(tx: Transaction, event: RecordedEvent) -> None:
        public_id = event.to(ApiKeyRevoked).public_id
        if not public_id:
            return  # recorded by a release that did not name the key as jobs know it
        after = None
        while jobs := await store.lock_open(tx, subject_of(public_id), _AT_ONCE, after):
            for job in jobs:
                events = job.cancel(clock.now())
                await store.save(tx, job)
                await tx.record(*events)
            after = jobs[-1].id

    return Subscription("jobs.cancel_for_revoked_key", frozenset({ApiKeyRevoked.event_type}), handle)
