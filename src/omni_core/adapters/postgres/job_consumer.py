"""A worker's end of the queue: a session with pgqueuer on one connection, until told to stop or the connection breaks.

The connection is the claim on the jobs that run here: without it no heartbeat is written, and another worker takes
over. So a session that loses it stops its jobs and ends; starting again is its caller's. Messages are settled over the
same connection, hence none is settled behind the back of a worker that took over.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, cast

import asyncpg
import msgspec
from pgqueuer import AsyncpgDriver, Queries, QueueManager, RetryRequested
from pgqueuer import Job as Message
from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment, QueryQueueBuilder
from pgqueuer.domain.errors import PgqException
from pgqueuer.domain.settings import DBSettings
from pgqueuer.domain.types import Channel

from omni_core.adapters.postgres.connecting import DatabaseUnavailable, not_connected
from omni_core.adapters.postgres.engine import DRIVER_FAILURES, driver_url
from omni_core.adapters.postgres.job_queue import ENTRYPOINT
from omni_core.domain.jobs.values import Delivery
from omni_core.domain.kernel.errors import Precondition

WORKER_ROLE = "omni_worker"
PUT_BACK_FOR = timedelta(seconds=5)
_COMMAND_TIMEOUT_S = 10.0
_FAILURES = (*DRIVER_FAILURES, PgqException)
# pgqueuer logs each step of each message and never tidies up; what became of a job is in Omni's own table.
_TIDY = "delete from pgqueuer_log where created < now() - interval '7 days'"

Deliver = Callable[[Delivery], Awaitable[bool]]
"""Deals with a message and tells whether it may be forgotten; if not, it comes again in a while. Raises nothing."""


class QueueMissing(Precondition):
    """The database holds no queue; run `omni db upgrade`."""

    code = "postgres.queue_missing"


class PgQueuerConsumer:
    """Hands messages to `deliver`, `concurrency` at once. Those of a worker that died come again after `heartbeat_s`.

    `grace_s` is how long jobs may go on when a stop is wanted; after that they are cancelled and left to other workers.
    `url` is the owner's or that of the role `omni_worker`, which is what the connection steps down to.
    """

    def __init__(
        self,
        url: str,
        *,
        concurrency: int = 4,
        heartbeat_s: float = 10.0,
        grace_s: float = 30.0,
        setting: str = "DATABASE_URL",
    ) -> None:
        self._url = driver_url(url)
        self._setting = setting
        self._was_connected = False
        self._concurrency = concurrency
        self._heartbeat = timedelta(seconds=heartbeat_s)
        self._grace_s = grace_s

    async def consume(self, deliver: Deliver, stop: asyncio.Event, on_ready: Callable[[], None]) -> None:
        """Work until `stop` is set; raise `DatabaseUnavailable` where PostgreSQL cannot be reached or goes away.

        `on_ready` is called when the connection stands. Raises what trying again does not mend: `QueueMissing` where
        the schema was never made, and `Refused` where it was never let in.
        """
        connection = await self._connect()
        session = _Session(connection, deliver, stop, concurrency=self._concurrency, grace_s=self._grace_s)
        try:
            if not await connection.fetchval("select to_regclass('pgqueuer') is not null"):
                raise QueueMissing
            self._was_connected = True
            on_ready()
            await session.run(self._heartbeat)
        except _FAILURES as error:
            raise DatabaseUnavailable("the worker's connection to PostgreSQL broke") from error
        finally:
            connection.terminate()

    async def _connect(self) -> asyncpg.Connection:
        settings = {"role": WORKER_ROLE, "application_name": "omni worker"}
        try:
            return await asyncpg.connect(self._url, command_timeout=_COMMAND_TIMEOUT_S, server_settings=settings)
        except asyncpg.InvalidParameterValueError as error:
            raise QueueMissing(f"there is no role {WORKER_ROLE}; run `omni db upgrade`") from error
        except _FAILURES as error:
            hint = f"workers need the URL of {WORKER_ROLE} or of the owner as OMNI_OWNER_DATABASE_URL"
            lacks_role = isinstance(error, asyncpg.InsufficientPrivilegeError)
            failure = not_connected(self._url, error, setting=self._setting, hint=hint if lacks_role else "")
            if self._was_connected:
                # What it had it will have again, when a restore is over or a password is everywhere.
                raise DatabaseUnavailable(failure.detail) from error
            raise failure from error


class _Session:
    def __init__(
        self, connection: asyncpg.Connection, deliver: Deliver, stop: asyncio.Event, *, concurrency: int, grace_s: float
    ) -> None:
        self._connection = connection
        self._deliver = deliver
        self._stop = stop
        self._grace_s = grace_s
        self._concurrency = concurrency
        self._places = asyncio.Semaphore(concurrency)
        self._running: set[asyncio.Task[Any]] = set()
        self._lost = asyncio.Event()
        self._driver = AsyncpgDriver(connection)
        connection.add_termination_listener(lambda _: self._lost.set())
        names = _names()
        queries = Queries(self._driver, QueryBuilderEnvironment(names), QueryQueueBuilder(names))
        self._manager = QueueManager(queries, names.channel)
        self._manager.entrypoint(ENTRYPOINT, accepts_context=False)(self._take)

    async def run(self, heartbeat: timedelta) -> None:
        """Work until told to stop; raise `DatabaseUnavailable` or the driver's error where the connection breaks."""
        watch = asyncio.create_task(self._watch(heartbeat.total_seconds() / 2))
        try:
            # A pick takes half of the places at most, and two places are the least that pgqueuer works with.
            await self._manager.run(
                dequeue_timeout=heartbeat / 2,
                batch_size=max(1, self._concurrency // 2),
                max_concurrent_tasks=max(2, self._concurrency),
                heartbeat_timeout=heartbeat,
                log_aggregation_interval=timedelta(0),
            )
        finally:
            watch.cancel()
            await asyncio.wait({watch})
        if self._lost.is_set():
            raise DatabaseUnavailable("the worker's connection to PostgreSQL broke")

    async def _take(self, message: Message) -> None:
        task = cast(asyncio.Task[Any], asyncio.current_task())
        self._running.add(task)
        try:
            async with self._places:
                if self._stop.is_set():
                    raise RetryRequested(reason="the worker stops")
                settled = await self._deliver(msgspec.json.decode(message.payload or b"", type=Delivery))
        except asyncio.CancelledError:
            if self._lost.is_set():
                raise  # with the connection gone, pgqueuer cannot note that as the end of the message
            raise RetryRequested(reason="the worker stops") from None
        finally:
            self._running.discard(task)
        if not settled:
            raise RetryRequested(PUT_BACK_FOR, "could not be settled")

    async def _watch(self, every_s: float) -> None:
        """Probe the connection until it breaks or a stop is wanted, then bring the session to its end."""
        while not await self._first(self._stop.wait(), self._lost.wait(), timeout_s=every_s):
            try:
                await self._driver.execute(_TIDY)
            except _FAILURES:
                break
        self._manager.shutdown.set()
        if self._stop.is_set() and not self._lost.is_set():
            await self._first(self._drained(), self._lost.wait(), timeout_s=self._grace_s)
        else:
            self._connection.terminate()
            self._lost.set()
        for task in self._running:
            task.cancel()

    async def _drained(self) -> None:
        while self._running:
            await asyncio.wait(set(self._running))

    @staticmethod
    async def _first(*waits: Any, timeout_s: float) -> bool:
        """Wait for one of several things, but not for ever; tell whether it came."""
        tasks = [asyncio.ensure_future(wait) for wait in waits]
        done, pending = await asyncio.wait(tasks, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        return bool(done)


def _names() -> DBSettings:
    """Return the names that the migration gave. What is not named, pgqueuer takes from variables such as CHANNEL."""
    return DBSettings(
        prefix="",
        db_schema=None,
        channel=Channel("ch_pgqueuer"),
        queue_table="pgqueuer",
        queue_table_log="pgqueuer_log",
        statistics_table="pgqueuer_statistics",
        queue_status_type="pgqueuer_status",
    )
