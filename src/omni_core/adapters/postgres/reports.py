"""Transactions that read much: on connections of their own, in a tenant's share of them, and not for long.

So what a tenant asks to be added up takes no connection from calls, and others' reports wait for one of its at most.
"""

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from omni_core.adapters.postgres.connecting import TakesTooLong
from omni_core.adapters.postgres.uow import PostgresTransaction, PostgresUnitOfWork
from omni_core.domain.kernel.errors import Quota
from omni_core.domain.kernel.tenancy import TenantId

# A caller who waits costs a connection and memory, so there is an end to how many may.
MOST_WAITING = 100
COME_BACK_AFTER_S = 5


class TooManyReports(Quota):
    """The tenant has too many reports under way."""

    code = "postgres.too_many_reports"
    retryable = True


class ReportTooSlow(Quota):
    """The report took too long."""

    code = "postgres.report_too_slow"


class Turns:
    """`places` at once, of which a tenant has `share` at most; who finds none waits for up to `wait_s` seconds.

    A place that becomes free goes to the tenant whose last one was longest ago. So a tenant with many callers delays
    its own, and others by as much as one report takes.
    """

    def __init__(self, *, places: int, share: int, wait_s: float, most_waiting: int = MOST_WAITING) -> None:
        self._free = places
        self._share = share
        self._wait_s = wait_s
        self._most_waiting = most_waiting
        self._taken: Counter[TenantId] = Counter()
        self._waiting: OrderedDict[TenantId, deque[asyncio.Future[None]]] = OrderedDict()

    @asynccontextmanager
    async def turn(self, tenant_id: TenantId) -> AsyncGenerator[None, None]:
        """Hold a place for the block; raise `TooManyReports` where none comes in time, or too many wait for one."""
        if tenant_id not in self._waiting and self._has_place(tenant_id):
            self._take(tenant_id)
        else:
            await self._wait(tenant_id)
        try:
            yield
        finally:
            self._give_back(tenant_id)

    async def _wait(self, tenant_id: TenantId) -> None:
        queue = self._waiting.setdefault(tenant_id, deque())
        if len(queue) >= self._most_waiting:
            raise _refusal(f"{len(queue)} reports of the tenant wait already")
        called = asyncio.get_running_loop().create_future()
        queue.append(called)
        try:
            async with asyncio.timeout(self._wait_s):
                await called
        except BaseException as error:
            if called.done() and not called.cancelled():
                # Called in the very moment in which the caller left.
                self._give_back(tenant_id)
            else:
                self._leave(tenant_id, called)
            if isinstance(error, TimeoutError):
                raise _refusal(f"no turn within {self._wait_s:g} s: {self._share} reports at once") from error
            raise

    def _has_place(self, tenant_id: TenantId) -> bool:
        return self._free > 0 and self._taken[tenant_id] < self._share

    def _take(self, tenant_id: TenantId) -> None:
        self._free -= 1
        self._taken[tenant_id] += 1

    def _give_back(self, tenant_id: TenantId) -> None:
        self._free += 1
        self._taken[tenant_id] -= 1
        if not self._taken[tenant_id]:
            del self._taken[tenant_id]
        self._call_next()

    def _call_next(self) -> None:
        while (tenant_id := next(filter(self._has_place, self._waiting), None)) is not None:
            called = self._waiting[tenant_id].popleft()
            self._waiting.move_to_end(tenant_id)
            self._forget_empty(tenant_id)
            if not called.done():
                self._take(tenant_id)
                called.set_result(None)

    def _leave(self, tenant_id: TenantId, called: asyncio.Future[None]) -> None:
        queue = self._waiting.get(tenant_id, deque())
        if called in queue:
            queue.remove(called)
            self._forget_empty(tenant_id)

    def _forget_empty(self, tenant_id: TenantId) -> None:
        if not self._waiting[tenant_id]:
            del self._waiting[tenant_id]


def _refusal(why: str) -> TooManyReports:
    return TooManyReports(f"{why}; try again in a while", retry_after_s=COME_BACK_AFTER_S)


class PostgresReports:
    """The port `UnitOfWork`, for use cases that only read. Raises `TooManyReports` and `ReportTooSlow` too."""

    def __init__(self, uow: PostgresUnitOfWork, turns: Turns) -> None:
        self._uow = uow
        self._turns = turns

    @asynccontextmanager
    async def __call__(self, tenant_id: TenantId) -> AsyncGenerator[PostgresTransaction, None]:
        """Begin a transaction of one tenant when it is its turn."""
        try:
            async with self._turns.turn(tenant_id), self._uow(tenant_id) as tx:
                yield tx
        except TakesTooLong as error:
            raise ReportTooSlow("the report took too long: ask for less time, one model or one key") from error
