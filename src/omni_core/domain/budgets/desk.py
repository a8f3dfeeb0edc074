"""Reservations: money is set aside before a call and settled after it.

Each process holds a lease on each pot that it draws from. A reservation is a matter of memory while the leases cover
it; else the call queues, and the process asks the database for all of a tenant's calls that do, in one round trip. The
database grants a surplus only while pots are far from their end, so near the end every single reservation is its
decision.

A call that draws on several pots is covered by all of them or holds nothing.
"""

import asyncio
from collections.abc import Sequence

from omni_core.domain.budgets.held import HeldLeases
from omni_core.domain.budgets.lease import Reservation
from omni_core.domain.budgets.model import Budget
from omni_core.domain.budgets.ports import BudgetStore, Leases
from omni_core.domain.budgets.queue import Queue, WaitingCall
from omni_core.domain.budgets.time import LeaseTime
from omni_core.domain.kernel.clock import Clock
from omni_core.domain.kernel.fresh import Fresh
from omni_core.domain.kernel.ids import Ids
from omni_core.domain.kernel.tenancy import Principal, TenantId
from omni_core.domain.kernel.uow import UnitOfWork

BUDGETS_FRESH_S = 0.5
TIME_FRESH_S = 60.0
MAX_TENANTS = 10_000


class BudgetDesk:
    """Where the calls of a process reserve. `maintain` has to run about every second."""

    def __init__(
        self, uow: UnitOfWork, store: BudgetStore, leases: Leases, clock: Clock, ids: Ids, *, wait_s: float = 2.0
    ) -> None:
        self._uow = uow
        self._store = store
        self._leases = leases
        self._clock = clock
        self._wait_s = wait_s
        self._time = LeaseTime(clock)
        self._held = HeldLeases(leases, self._time, clock, ids)
        self._queues: dict[TenantId, Queue] = {}
        self._budgets: dict[TenantId, Fresh[Sequence[Budget]]] = {}

    async def limits(self, principal: Principal) -> Sequence[Budget]:
        """Return the budgets that the principal's calls draw from."""
        budgets = await self._budgets_of(principal.tenant_id)
        return [budget for budget in budgets if budget.key_id is None or budget.key_id == principal.key_id]

    async def reserve(self, principal: Principal, picos: int) -> Reservation:
        """Set `picos` aside on every budget that the principal draws from; raise `BudgetExhausted` or `UnknownWindow`.

        Where the money is merely set aside for calls under way, waits up to `wait_s` seconds for them to settle.
        """
        budgets = await self.limits(principal)
        if not budgets:
            return Reservation((), picos)
        if not self._time.is_known:
            await self._hear_time()
        # Nothing is awaited until the money is taken, so no other call comes in between two pots.
        reservation = Reservation.drawn_from([self._held.of(self._time.pot(budget)) for budget in budgets], picos)
        if reservation is not None:
            return reservation
        call = WaitingCall(budgets, picos, self._clock.monotonic() + self._wait_s)
        return await self._queue(principal.tenant_id).wait(call)

    async def maintain(self) -> None:
        """Renew the leases in use and give back what idles; raise `DependencyFailed`, and then go on as before."""
        if self._time.age_s >= TIME_FRESH_S:
            await self._hear_time()
        await self._held.maintain()
        for tenant_id in [tenant_id for tenant_id, queue in self._queues.items() if queue.is_quiet]:
            del self._queues[tenant_id]
        while len(self._budgets) > MAX_TENANTS:
            del self._budgets[next(iter(self._budgets))]

    async def close(self) -> None:
        """Give back everything that no call holds."""
        asking = [queue.asking for queue in self._queues.values() if queue.asking is not None]
        if asking:
            await asyncio.wait(asking)
        await self._held.give_back_all()

    async def _hear_time(self) -> None:
        asked_at = self._clock.monotonic()
        self._time.hear(await self._leases.now(), asked_at)

    def _queue(self, tenant_id: TenantId) -> Queue:
        queue = self._queues.get(tenant_id)
        if queue is None:
            queue = self._queues[tenant_id] = Queue(
                self._held, self._leases, self._time, self._clock, lambda: self._forget_budgets(tenant_id)
            )
        return queue

    def _forget_budgets(self, tenant_id: TenantId) -> None:
        self._budgets.pop(tenant_id, None)

    async def _budgets_of(self, tenant_id: TenantId) -> Sequence[Budget]:
        fresh = self._budgets.get(tenant_id)
        if fresh is None:
            fresh = self._budgets[tenant_id] = Fresh(
                lambda: self._read_budgets(tenant_id), self._clock, BUDGETS_FRESH_S
            )
        return await fresh.get()

    async def _read_budgets(self, tenant_id: TenantId) -> Sequence[Budget]:
        async with self._uow(tenant_id) as tx:
            return sorted(await self._store.list(tx), key=lambda budget: budget.id)
