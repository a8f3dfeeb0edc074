"""Workers whose subscriptions write down what they handle: `python reacting.py <owner's url>`.

For each line on its standard input it forks another worker and prints that one's process id, so that a worker can be
killed and replaced in no time.
"""

import asyncio
import os
import signal
import sys
from contextlib import suppress
from datetime import timedelta
from typing import ClassVar
from uuid import UUID

import sqlalchemy as sa

from omni_core.adapters.postgres.engine import Database, open_database
from omni_core.adapters.postgres.events import postgres_event_storage
from omni_core.adapters.postgres.uow import PostgresUnitOfWork, connection_of
from omni_core.adapters.system import SystemClock, SystemIds
from omni_core.domain.events.api import EventStorage, Handler, Retries, Subscription, SubscriptionRunner
from omni_core.domain.kernel.backoff import Backoff
from omni_core.domain.kernel.events import Event, RecordedEvent
from omni_core.domain.kernel.uow import Transaction
from omni_workers.reactions import react
from omni_workers.supervision import stop_signals

POISON = -1
EFFECTS = """
create table effect (
    place bigint generated always as identity primary key,
    subscription text not null, tenant_id uuid not null, aggregate_id uuid not null, event_id uuid not null
);
grant select, insert on effect to omni_app
"""
_WRITE = sa.text(
    "insert into effect (subscription, tenant_id, aggregate_id, event_id) "
    "values (:subscription, :tenant_id, :aggregate_id, :event_id)"
)
_ids = SystemIds()


class Often(Event, frozen=True):
    event_type: ClassVar[str] = "testing.often"
    aggregate: ClassVar[str] = "subject_id"
    subject_id: UUID
    number: int


class Seldom(Event, frozen=True):
    event_type: ClassVar[str] = "testing.seldom"
    aggregate: ClassVar[str] = "subject_id"
    subject_id: UUID
    number: int


def writes(name: str) -> Handler:
    async def handle(tx: Transaction, event: RecordedEvent) -> None:
        values = {"tenant_id": event.tenant_id, "aggregate_id": event.aggregate_id, "event_id": event.id}
        await connection_of(tx).execute(_WRITE, {"subscription": name, **values})
        if name == "testing.all" and event.data["number"] == POISON:
            raise RuntimeError("nobody can handle this")

    return handle


SUBSCRIPTIONS = [
    Subscription("testing.all", frozenset({Often.event_type, Seldom.event_type}), writes("testing.all")),
    Subscription("testing.seldom", frozenset({Seldom.event_type}), writes("testing.seldom")),
    Subscription("testing.often", frozenset({Often.event_type}), writes("testing.often")),
]


def storage_on(database: Database) -> EventStorage:
    clock = SystemClock()
    return postgres_event_storage(PostgresUnitOfWork(database.engine, clock, _ids), database.pool, clock, _ids)


async def work(url: str, parent: int) -> None:
    retries = Retries(lambda _: True, 3, Backoff(timedelta(milliseconds=50), 2, timedelta(milliseconds=100)))
    async with stop_signals() as stop, open_database(url) as database:
        watching = asyncio.create_task(stop_without(parent, stop))
        await react(SubscriptionRunner(storage_on(database), SUBSCRIPTIONS, retries), stop, poll_s=0.05)
        await watching


async def stop_without(parent: int, stop: asyncio.Event) -> None:
    """End with the test, also where that is killed."""
    while not stop.is_set():
        if os.getppid() != parent:
            stop.set()
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), 0.5)


def main(url: str) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks how they ended
    parent = os.getpid()
    for _ in sys.stdin:
        pid = os.fork()
        if pid == 0:
            os.dup2(2, 1)
            asyncio.run(work(url, parent))
            os._exit(0)
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1])
