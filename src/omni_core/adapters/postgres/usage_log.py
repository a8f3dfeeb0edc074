"""Writes usage on PostgreSQL: all callers of a process share its transactions (group commit).

Whoever appends puts the event into a queue and waits. One task, the flusher, writes what has queued up while its last
batch was being written; it is started by the first event and ends after a quiet moment. So a lone caller waits for one
commit, and sixty-four callers share one.
"""

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

import asyncpg

from omni_core.adapters.postgres import usage_batch
from omni_core.adapters.postgres.engine import DRIVER_FAILURES
from omni_core.domain.budgets.api import Charge
from omni_core.domain.metering.api import UsageEvent
from omni_core.domain.metering.errors import InvalidUsage, UsageNotRecorded

MAX_BATCH = 500
LINGER_S = 0.001
ANSWER_WITHIN_S = 5.0
# For how long a batch that cannot be written is tried again, after pauses that double: a restart takes less.
PATIENCE_S = 8.0
FIRST_PAUSE_S = 0.05
# How long the flusher keeps its connection when there is nothing to write.
QUIET_S = 0.5

_REFUSED = (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError)


class _Waiting(NamedTuple):
    event: UsageEvent
    charges: Sequence[Charge]
    is_new: asyncio.Future[bool]

    def succeed(self, *, is_new: bool) -> None:
        """Let the caller go on, if it still waits."""
        if not self.is_new.done():
            self.is_new.set_result(is_new)

    def fail(self, error: Exception, cause: Exception) -> None:
        """Raise `error` from `cause` at the caller, if it still waits."""
        if not self.is_new.done():
            error.__cause__ = cause
            self.is_new.set_exception(error)


class PostgresUsageLog:
    """The port `UsageLog`.

    `linger_s` is how long a batch that others may join is held back. It is not held back while callers come one at a
    time, so that a lone one is never delayed.
    """

    def __init__(self, pool: asyncpg.Pool, *, linger_s: float = LINGER_S, patience_s: float = PATIENCE_S) -> None:
        self._pool = pool
        self._linger_s = linger_s
        self._patience_s = patience_s
        self._queue: list[_Waiting] = []
        self._arrived = asyncio.Event()
        self._flusher: asyncio.Task[None] | None = None
        self._closed = False

    async def append(self, event: UsageEvent, charges: Sequence[Charge] = ()) -> bool:
        """Commit an event with its charges, in a batch with what others append.

        A caller who is cancelled takes nothing back: the event is written all the same.
        """
        if self._closed:
            raise UsageNotRecorded("the usage log is closed")
        waiting = _Waiting(event, charges, asyncio.get_running_loop().create_future())
        self._queue.append(waiting)
        self._arrived.set()
        if self._flusher is None:
            self._flusher = asyncio.create_task(self._flush())
        return await waiting.is_new

    async def close(self) -> None:
        """Write what waits, and refuse more."""
        self._closed = True
        self._arrived.set()
        if self._flusher is not None:
            await asyncio.wait([self._flusher])

    async def _flush(self) -> None:
        writer = _Writer(self._pool, self._patience_s)
        batch: list[_Waiting] = []
        try:
            while await self._something_arrived():
                if len(batch) > 1 and self._linger_s and not self._closed:
                    await asyncio.sleep(self._linger_s)
                batch, self._queue = self._queue[:MAX_BATCH], self._queue[MAX_BATCH:]
                try:
                    await writer.write(batch)
                except UsageNotRecorded as error:
                    # What has queued up meanwhile has no better prospects, and has waited as well.
                    self._fail((*batch, *self._queue), error)
        finally:
            self._flusher = None
            self._fail((*batch, *self._queue), UsageNotRecorded("the program ended before it could be recorded"))
            await writer.close()

    def _fail(self, waiting: Iterable[_Waiting], error: UsageNotRecorded) -> None:
        for one in waiting:
            one.fail(UsageNotRecorded(error.detail), error)
        self._queue = []

    async def _something_arrived(self) -> bool:
        """Wait for an event; return False where none comes for a while, or none can come any more."""
        if self._queue:
            return True
        self._arrived.clear()
        if self._closed:
            return False
        try:
            async with asyncio.timeout(QUIET_S):
                await self._arrived.wait()
        except TimeoutError:
            return bool(self._queue)
        return bool(self._queue)


class _Writer:
    """Writes batches on a connection that it keeps: to return it after each would cost another round trip."""

    def __init__(self, pool: asyncpg.Pool, patience_s: float) -> None:
        self._pool = pool
        self._patience_s = patience_s
        self._connection: Any = None

    async def write(self, batch: Sequence[_Waiting]) -> None:
        """Commit a batch and tell its callers; raise `UsageNotRecorded` where PostgreSQL cannot be reached."""
        try:
            seen = await self._append([(one.event, one.charges) for one in batch])
        except UsageNotRecorded:
            raise
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one event is that caller's to hear, alone
            if len(batch) == 1:
                batch[0].fail(InvalidUsage("the event cannot be stored"), error)
                return
            half = len(batch) // 2
            await self.write(batch[:half])
            await self.write(batch[half:])
        else:
            for index, one in enumerate(batch):
                one.succeed(is_new=index not in seen)

    async def close(self) -> None:
        """Return the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await self._pool.release(connection)

    async def _append(self, lines: Sequence[usage_batch.Line]) -> set[int]:
        """Append until it is known to be done; return the lines whose key was there before."""
        loop = asyncio.get_running_loop()
        until = loop.time() + self._patience_s
        pause = 0.0
        while True:
            try:
                seen = await self._append_once(lines)
            except _REFUSED:
                raise
            except DRIVER_FAILURES as error:
                pause = pause * 2 or FIRST_PAUSE_S
                if loop.time() + pause > until:
                    raise UsageNotRecorded("PostgreSQL does not answer") from error
                await asyncio.sleep(pause)
            else:
                # At a second attempt, the same event was put there by the first one, whose answer was lost.
                return {index for index, is_same in seen.items() if not (pause and is_same)}

    async def _append_once(self, lines: Sequence[usage_batch.Line]) -> dict[int, bool]:
        if self._connection is None:
            self._connection = await self._pool.acquire(timeout=ANSWER_WITHIN_S)
        try:
            return await usage_batch.append(self._connection, lines, ANSWER_WITHIN_S)
        except _REFUSED:
            raise
        except BaseException:
            # In an unknown state: what it is still doing ends with it. One that broke has left the pool by itself.
            with suppress(asyncpg.InterfaceError):
                self._connection.terminate()
            await self.close()
            raise
