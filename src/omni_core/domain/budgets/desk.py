"""Reservations: money is set aside before a call and settled after it.

Each process holds a lease on each pot that it draws from. A reservation is a matter of memory while the lease covers
it; else the process asks the database for more, once for all callers who wait. The database grants a surplus only
while a pot is far from its end, so near the end every single reservation is the database's decision.
"""

import asyncio
from collections.abc import Collection, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from omni_core.domain.budgets.errors import BudgetExhausted, UnknownBudget
from omni_core.domain.budgets.lease import LEASE_S, RETRY_S, HeldLease, Reservation
from omni_core.domain.budgets.model import Budget, Pot
from omni_core.domain.budgets.ports import BudgetStore, Grant, Leases
from omni_core.domain.kernel.clock import Clock
from omni_core.domain.kernel.fresh import Fresh
from omni_core.domain.kernel.ids import Ids
from omni_core.domain.kernel.money import format_picos
from omni_core.domain.kernel.tenancy import Principal, TenantId
from omni_core.domain.kernel.uow import UnitOfWork

IDLE_S = 1.0
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
        # Leases that nothing more is drawn from, renewed for as long as calls under way hold money of them.
        self._retired: list[HeldLease] = []
        self._asking: set[asyncio.Task[Grant]] = set()
        self._budgets: dict[TenantId, Fresh[Sequence[Budget]]] = {}

    async def limits(self, principal: Principal) -> Sequence[Budget]:
        """Return the budgets that the principal's calls draw from."""
        budgets = await self._budgets_of(principal.tenant_id)
        return [budget for budget in budgets if budget.key_id is None or budget.key_id == principal.key_id]

    async def reserve(self, principal: Principal, picos: int) -> Reservation:
        """Set `picos` aside on every budget that the principal draws from; raise `BudgetExhausted` or `UnknownWindow`.

        Where the money is merely set aside for calls under way, waits up to `wait_s` seconds for them to settle.
        """
        now = self._clock.now()
        deadline = self._clock.monotonic() + self._wait_s
        taken: list[HeldLease] = []
        try:
            for budget in await self.limits(principal):
                lease = await self._draw(budget, picos, now, deadline)
                if lease is not None:
                    taken.append(lease)
        except BaseException:
            Reservation(taken, picos).settle(0)
            raise
        return Reservation(taken, picos)

    async def maintain(self) -> None:
        """Renew the leases in use and give back what idles; raise `DependencyFailed`, and then go on as before."""
        now = self._clock.monotonic()
        self._retired = [lease for lease in self._retired if lease.held]
        used = [lease for lease in self._held.values() if lease.held or now - lease.used_at < IDLE_S]
        await self._renew([lease for lease in (*used, *self._retired) if lease.renew_at <= now])
        await self._give_back([lease for lease in self._held.values() if now - lease.used_at >= IDLE_S])
        while len(self._budgets) > MAX_TENANTS:
            del self._budgets[next(iter(self._budgets))]

    async def close(self) -> None:
        """Give back everything that no call holds."""
        if self._asking:
            await asyncio.wait(self._asking)
        await self._give_back(list(self._held.values()))

    async def _renew(self, due: Sequence[HeldLease]) -> None:
        if not due:
            return
        asked_at, moment = self._clock.monotonic(), self._clock.now()
        pairs = [(lease.pot, lease.id) for lease in due]
        alive = await self._leases.renew(pairs, moment, moment + timedelta(seconds=LEASE_S))
        for lease, is_alive in zip(due, alive, strict=True):
            if is_alive:
                lease.prolong(asked_at)
            else:
                self._retire(lease)
        lost = {lease.id for lease, is_alive in zip(due, alive, strict=True) if not is_alive}
        self._retired = [lease for lease in self._retired if lease.id not in lost]

    async def _give_back(self, leases: Collection[HeldLease]) -> None:
        """Return what is free of them, and end those of which nothing is held."""
        ending = [lease for lease in leases if not lease.held and not lease.wanted]
        lessened = [lease for lease in leases if lease.held and not lease.wanted and lease.free > 0]
        returns = [(lease.pot, lease.id, lease.give_up()) for lease in (*ending, *lessened)]
        for lease in ending:
            self._retire(lease)
        if not returns:
            return
        try:
            await self._leases.give_back(returns)
        except BaseException:
            # Nobody knows what the database holds for these leases now: too much perhaps, which is left to lapse.
            for lease in lessened:
                self._retire(lease)
            raise

    def _retire(self, lease: HeldLease) -> None:
        """Draw from another lease from now on."""
        lease.retire()
        if self._held.get(lease.pot) is lease:
            del self._held[lease.pot]
            if lease.held:
                self._retired.append(lease)

    def _lease(self, pot: Pot) -> HeldLease:
        lease = self._held.get(pot)
        if lease is not None and not lease.usable:
            self._retire(lease)
            lease = None
        if lease is None:
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

    async def _draw(self, budget: Budget, need: int, now: datetime, deadline: float) -> HeldLease | None:
        """Set `need` aside on the budget's pot; return None where the budget was removed meanwhile."""
        pot = Pot(budget.tenant_id, budget.id, budget.period(now)[0])
        while True:
            lease = self._lease(pot)
            if lease.take(need):
                return lease
            lease.settled.clear()
            lease.wanted += need
            try:
                refusal = await self._ask(lease, need)
                if refusal is not None:
                    self._check_hope(budget, need, refusal, now, deadline)
                    await _until(lease.settled, RETRY_S)
            except UnknownBudget:
                self._budgets.pop(pot.tenant_id, None)
                self._retire(lease)
                return None
            finally:
                lease.wanted -= need

    async def _ask(self, lease: HeldLease, need: int) -> Grant | None:
        """Ask for what is missing; return the refusal. Without one, look at the pot's lease again."""
        async with lease.asking:
            missing = need - lease.free
            if missing <= 0 or not lease.usable:
                return None
            refusal = lease.refusal_of(missing)
            if refusal is not None:
                return refusal
            # A caller who leaves must not take along the answer: what was granted has to be added to the lease.
            asking = asyncio.ensure_future(self._acquire(lease, missing))
            self._asking.add(asking)
            asking.add_done_callback(self._asking.discard)
            grant = await asyncio.shield(asking)
            return None if grant.granted_picos else grant

    async def _acquire(self, lease: HeldLease, missing: int) -> Grant:
        asked_at, moment = self._clock.monotonic(), self._clock.now()
        until = moment + timedelta(seconds=LEASE_S)
        want = max(missing, lease.wanted - lease.free)
        try:
            grant = await self._leases.acquire(lease.pot, lease.id, need=missing, want=want, now=moment, until=until)
        except BaseException:
            # It may have been granted all the same; then it lapses with the lease.
            self._retire(lease)
            raise
        lease.accept(grant, missing, asked_at)
        return grant

    def _check_hope(self, budget: Budget, need: int, refusal: Grant, now: datetime, deadline: float) -> None:
        """Raise `BudgetExhausted` unless it can help, and is not too late, to wait for calls under way to settle."""
        is_spent = refusal.spent_picos + need > refusal.limit_picos
        moment = self._clock.monotonic()
        if not is_spent and moment < deadline:
            return
        resets_at = budget.period(now)[1]
        until_reset = int((resets_at - self._clock.now()).total_seconds())
        raise BudgetExhausted(
            f"the budget of {budget.limit} a {budget.window} does not cover this call",
            budget_id=str(budget.id),
            window=budget.window.value,
            limit=str(budget.limit),
            spent=format_picos(refusal.spent_picos),
            resets_at=resets_at.isoformat(),
            retry_after_s=max(1, until_reset) if is_spent else 1,
        )


async def _until(event: asyncio.Event, at_most_s: float) -> None:
    """Wait for `event`, but no longer than `at_most_s`."""
    with suppress(TimeoutError):
        async with asyncio.timeout(at_most_s):
            await event.wait()
