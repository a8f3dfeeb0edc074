"""Reservations: money is set aside before a call and settled after it.

Each process holds a lease on each pot that it draws from. A reservation is a matter of memory while the lease covers
it; else the process asks the database for more, once for all callers who wait. The database grants a surplus only
while a pot is far from its end, so near the end every single reservation is the database's decision.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

from omni_core.domain.budgets.errors import BudgetExhausted, UnknownBudget
from omni_core.domain.budgets.lease import HeldLease, Reservation
from omni_core.domain.budgets.model import Budget, Pot
from omni_core.domain.budgets.ports import BudgetStore, Grant, Leases
from omni_core.domain.kernel.clock import Clock
from omni_core.domain.kernel.fresh import Fresh
from omni_core.domain.kernel.ids import Ids
from omni_core.domain.kernel.money import format_picos
from omni_core.domain.kernel.tenancy import Principal, TenantId
from omni_core.domain.kernel.uow import UnitOfWork

LEASE = timedelta(seconds=30)
RENEW_AFTER_S = 8.0
IDLE_S = 1.0
RETRY_S = 0.02
BUDGETS_FRESH_S = 0.5
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
        self._ids = ids
        self._wait_s = wait_s
        self._held: dict[Pot, HeldLease] = {}
        self._budgets: dict[TenantId, Fresh[Sequence[Budget]]] = {}

    async def reserve(self, principal: Principal, picos: int) -> Reservation:
        """Set `picos` aside on every budget that the principal draws from; raise `BudgetExhausted`.

        Where the money is merely set aside for calls under way, waits up to `wait_s` seconds for them to settle.
        """
        now = self._clock.now()
        taken: list[HeldLease] = []
        try:
            for budget in await self._budgets_of(principal.tenant_id):
                if budget.key_id is None or budget.key_id == principal.key_id:
                    lease = await self._draw(budget, picos, now)
                    if lease is not None:
                        taken.append(lease)
        except BaseException:
            Reservation(taken, picos).settle(0)
            raise
        return Reservation(taken, picos)

    async def maintain(self) -> None:
        """Renew the leases in use and give back what idles."""
        now = self._clock.monotonic()
        await self._renew([lease for lease in self._held.values() if lease.held or now - lease.used_at < IDLE_S], now)
        for lease in list(self._held.values()):
            if now - lease.used_at >= IDLE_S and not lease.wanted:
                await self._give_back(lease)
        while len(self._budgets) > MAX_TENANTS:
            del self._budgets[next(iter(self._budgets))]

    async def close(self) -> None:
        """Give back everything that no call holds."""
        for lease in list(self._held.values()):
            await self._give_back(lease)

    async def _renew(self, used: Sequence[HeldLease], now: float) -> None:
        last_for = LEASE.total_seconds()
        due = [
            lease
            for lease in used
            if lease.valid_until is not None and lease.valid_until - now < last_for - RENEW_AFTER_S
        ]
        if not due:
            return
        moment = self._clock.now()
        pairs = [(lease.pot, lease.id) for lease in due]
        alive = await self._leases.renew(pairs, moment, moment + LEASE)
        for lease, is_alive in zip(due, alive, strict=True):
            if is_alive:
                lease.valid_until = now + last_for
            else:
                self._forget(lease)

    async def _give_back(self, lease: HeldLease) -> None:
        async with lease.asking:
            free = lease.free
            if free > 0:
                # Off the lease first: what is being given back cannot be reserved meanwhile. Should the answer be lost,
                # nobody knows what the database holds for this lease, so it is left to lapse.
                lease.granted -= free
                try:
                    await self._leases.give_back(lease.pot, lease.id, free)
                except BaseException:
                    self._forget(lease)
                    raise
            if not lease.held and not lease.wanted and lease.free == 0:
                self._forget(lease)

    def _forget(self, lease: HeldLease) -> None:
        """Draw from another lease from now on; calls under way still settle on this one."""
        if self._held.get(lease.pot) is lease:
            del self._held[lease.pot]

    def _lease(self, pot: Pot) -> HeldLease:
        lease = self._held.get(pot)
        if lease is None or lease.lapsed:
            lease = self._held[pot] = HeldLease(pot, self._ids.new(), self._clock)
        return lease

    async def _budgets_of(self, tenant_id: TenantId) -> Sequence[Budget]:
        fresh = self._budgets.get(tenant_id)
        if fresh is None:
            fresh = self._budgets[tenant_id] = Fresh(
                lambda: self._read_budgets(tenant_id), self._clock, BUDGETS_FRESH_S
            )
        return await fresh.get()

    async def _read_budgets(self, tenant_id: TenantId) -> Sequence[Budget]:
        async with self._uow(tenant_id) as tx:
            # In one order everywhere, so that two calls that want the last of two pots cannot each take one of them.
            return sorted(await self._store.list(tx), key=lambda budget: budget.id)

    async def _draw(self, budget: Budget, need: int, now: datetime) -> HeldLease | None:
        """Set `need` aside on the budget's pot; return None where the budget was removed meanwhile."""
        pot = Pot(budget.tenant_id, budget.id, budget.window.start(now))
        lease = self._lease(pot)
        if lease.take(need):
            return lease
        deadline = self._clock.monotonic() + self._wait_s
        while True:
            lease = self._lease(pot)
            lease.settled.clear()
            lease.wanted += need
            try:
                short = await self._ask(lease, need)
                if short is None:
                    return lease
                if short.spent_picos + need > short.limit_picos or self._clock.monotonic() >= deadline:
                    raise self._exhausted(budget, short, now)
                await _until(lease.settled, RETRY_S)
            except UnknownBudget:
                self._budgets.pop(pot.tenant_id, None)
                return None
            finally:
                lease.wanted -= need

    async def _ask(self, lease: HeldLease, need: int) -> Grant | None:
        """Take from the lease, asking for more if it must be; return the database's answer where it was too little."""
        async with lease.asking:
            started = self._clock.monotonic()
            if lease.take(need):
                return None
            if lease.answer is not None and started - lease.answered_at < RETRY_S:
                # Somebody has just heard that there is too little.
                return lease.answer
            moment = self._clock.now()
            missing = need - lease.free
            lease.answer = None
            grant = await self._leases.acquire(
                lease.pot,
                lease.id,
                need=missing,
                want=max(missing, lease.wanted - lease.free),
                now=moment,
                until=moment + LEASE,
            )
            lease.granted += grant.granted_picos
            if lease.valid_until is None or grant.granted_picos:
                lease.valid_until = started + LEASE.total_seconds()
            if lease.take(need):
                return None
            lease.answer, lease.answered_at = grant, self._clock.monotonic()
            return grant

    def _exhausted(self, budget: Budget, grant: Grant, now: datetime) -> BudgetExhausted:
        resets_at = budget.window.end(now)
        return BudgetExhausted(
            f"the budget of {budget.limit} a {budget.window} does not cover this call",
            budget_id=str(budget.id),
            window=budget.window.value,
            limit=str(budget.limit),
            spent=format_picos(grant.spent_picos),
            resets_at=resets_at.isoformat(),
            retry_after_s=max(1, int((resets_at - self._clock.now()).total_seconds())),
        )


async def _until(event: asyncio.Event, at_most_s: float) -> None:
    """Wait for `event`, but no longer than `at_most_s`."""
    waiter = asyncio.ensure_future(event.wait())
    await asyncio.wait((waiter,), timeout=at_most_s)
    waiter.cancel()
