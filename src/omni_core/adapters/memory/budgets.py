"""Budgets, and the leases on them, in memory."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from omni_core.adapters.memory.database import MemoryDatabase, MemoryTransaction, memory_tx
from omni_core.domain.budgets.api import Charge
from omni_core.domain.budgets.errors import BudgetExists, UnknownBudget
from omni_core.domain.budgets.model import Budget, Pot, Spending
from omni_core.domain.budgets.ports import Grant, Grants, Need, Renewal, Wish
from omni_core.domain.kernel.uow import Transaction

# A pot grants a surplus while that leaves it far from its end; the same numbers are in the function on PostgreSQL.
SURPLUS_SHARE = 128
SURPLUS_FACTOR = 64


@dataclass(slots=True)
class _Lease:
    amount: int
    expires_at: datetime


class _Pots:
    """The pots of a transaction's tenant: `period` holds what was spent of each, `lease` what is set aside."""

    def __init__(self, tx: MemoryTransaction) -> None:
        self._tx = tx

    def spent(self, pot: Pot) -> int:
        """Return what the pot has cost."""
        return int(self._tx.get("budget_period", pot) or 0)

    def spend(self, pot: Pot, picos: int) -> None:
        """Add to what the pot has cost."""
        self._tx.put("budget_period", pot, self.spent(pot) + picos)

    def leases(self, pot: Pot) -> dict[UUID, _Lease]:
        """Return the pot's leases, lapsed ones included."""
        return self._tx.get("budget_lease", pot) or {}

    def save(self, pot: Pot, leases: dict[UUID, _Lease]) -> None:
        """Store the pot's leases."""
        self._tx.put("budget_lease", pot, leases)

    def take_back(self, pot: Pot, now: datetime) -> None:
        """Forget the leases that have lapsed."""
        self.save(pot, {key: lease for key, lease in self.leases(pot).items() if lease.expires_at > now})

    def leased(self, pot: Pot) -> int:
        """Return the sum of the pot's leases."""
        return sum(lease.amount for lease in self.leases(pot).values())

    def add(self, pot: Pot, lease_id: UUID, picos: int, until: datetime) -> None:
        """Add to a lease, and prolong it."""
        leases = self.leases(pot)
        lease = leases.setdefault(lease_id, _Lease(0, until))
        lease.amount += picos
        lease.expires_at = max(lease.expires_at, until)
        self.save(pot, leases)


@dataclass(slots=True)
class _Share:
    """What a pot can give to the calls of one question; `limit` is None where its budget is gone, which stops none."""

    wish: Wish
    limit: int | None = None
    spent: int = 0
    available: int = 0
    left: int = 0
    drawn: int = 0
    most: int = 0
    is_drawn: bool = False
    is_valid: bool = True
    surplus: int | None = None

    def covers(self, need: int) -> bool:
        """Tell whether a call can draw on it."""
        return self.limit is None or (self.is_valid and self.left >= need)

    def draw(self, need: int) -> None:
        """Let a call draw on it."""
        self.left -= need
        self.drawn += need
        self.is_drawn = True

    @property
    def asked(self) -> int:
        """What its lease lacks for the calls that draw on it."""
        return max(self.drawn - self.wish.free_picos, 0) if self.is_drawn and self.limit is not None else 0

    @property
    def spare(self) -> int:
        """What it could grant beyond that: little near its end, and nothing at its end."""
        return max(min(self.available // SURPLUS_SHARE, self.drawn * SURPLUS_FACTOR) - self.asked, 0)

    def grant(self) -> Grant | None:
        """Return the answer to the wish."""
        if self.limit is None:
            return None
        is_scarce = self.available // SURPLUS_SHARE <= max(self.asked, self.most)
        granted = self.asked and self.asked + (self.surplus or 0)
        return Grant(granted, self.spent, self.limit, self.left, is_scarce, self.is_valid)


def _share_out(shares: Sequence[_Share], needs: Sequence[Need]) -> None:
    """Serve the calls in order, each that still fits; then add a surplus of as many of them to all of its pots."""
    served = []
    for need in needs:
        drawn = [shares[place] for place in need.places]
        for share in drawn:
            share.most = max(share.most, need.picos)
        if all(share.covers(need.picos) for share in drawn):
            served.append((need.picos, [share for share in drawn if share.limit is not None]))
            for share in drawn:
                share.draw(need.picos)
    for picos, drawn in served:
        spare = min((share.spare for share in drawn), default=0) // max(picos, 1) * picos
        for share in drawn:
            share.surplus = spare if share.surplus is None else min(share.surplus, spare)


class MemoryBudgetStore:
    """The port `BudgetStore`."""

    async def add(self, tx: Transaction, budget: Budget) -> None:
        """Store a new budget."""
        for other in memory_tx(tx).look("budget").values():
            if (other.key_id, other.window) == (budget.key_id, budget.window):
                raise BudgetExists(budget_id=str(other.id), window=budget.window.value)
        memory_tx(tx).put("budget", budget.id, budget)

    async def lock(self, tx: Transaction, budget_id: UUID) -> Budget:
        """Return a budget; a memory transaction holds the tenant's lock anyway."""
        budget: Budget = memory_tx(tx).one("budget", budget_id, UnknownBudget(budget_id=str(budget_id)))
        return budget

    async def save(self, tx: Transaction, budget: Budget) -> None:
        """Store the limit, and who made it."""
        memory_tx(tx).put("budget", budget.id, budget)

    async def remove(self, tx: Transaction, budget_id: UUID) -> None:
        """Remove a budget with its periods and leases."""
        memory_tx(tx).delete("budget", budget_id)
        for table in ("budget_period", "budget_lease"):
            for pot in list(memory_tx(tx).look(table)):
                if isinstance(pot, Pot) and pot.budget_id == budget_id:
                    memory_tx(tx).delete(table, pot)

    async def list(self, tx: Transaction) -> Sequence[Budget]:
        """Return the tenant's budgets, oldest first."""
        return sorted(memory_tx(tx).find("budget"), key=lambda budget: budget.id)

    async def now(self, tx: Transaction) -> datetime:
        """Return the moment by the database's clock."""
        return memory_tx(tx).now()

    async def spending(self, tx: Transaction, pots: Sequence[Pot], now: datetime) -> Sequence[Spending]:
        """Return what each pot has cost so far."""
        known = _Pots(memory_tx(tx))
        return [
            Spending(known.spent(pot), sum(one.amount for one in known.leases(pot).values() if one.expires_at > now))
            for pot in pots
        ]


class MemoryLeases:
    """The port `Leases`."""

    def __init__(self, database: MemoryDatabase) -> None:
        self._database = database

    async def acquire(self, wishes: Sequence[Wish], needs: Sequence[Need], lasting_s: float) -> Grants:
        """Add to the leases what the pots can spare."""
        async with self._database.begin(wishes[0].pot.tenant_id) as tx:
            now = tx.now()
            shares = [self._share(tx, wish, now) for wish in wishes]
            _share_out(shares, needs)
            grants = [share.grant() for share in shares]
            for wish, grant in zip(wishes, grants, strict=True):
                if grant is not None and grant.granted_picos:
                    until = now + timedelta(seconds=lasting_s)
                    _Pots(tx).add(wish.pot, wish.lease_id, grant.granted_picos, until)
            return Grants(now, grants)

    @staticmethod
    def _share(tx: MemoryTransaction, wish: Wish, now: datetime) -> _Share:
        budget: Budget | None = tx.get("budget", wish.pot.budget_id)
        if budget is None:
            return _Share(wish)
        pots, pot, limit = _Pots(tx), wish.pot, budget.limit.picos
        running = budget.window.period(now)
        if running is not None and running[0] != pot.period_start:
            return _Share(wish, limit, is_valid=False)
        pots.take_back(pot, now)
        if wish.is_held and wish.lease_id not in pots.leases(pot):
            return _Share(wish, limit, is_valid=False)
        available = max(limit - pots.spent(pot) - pots.leased(pot), 0)
        return _Share(wish, limit, pots.spent(pot), available, available + wish.free_picos)

    async def give_back(self, returns: Sequence[tuple[Pot, UUID, int]]) -> None:
        """Take amounts off leases; one that nothing is left of is gone."""
        for pot, lease_id, picos in returns:
            async with self._database.begin(pot.tenant_id) as tx:
                pots = _Pots(tx)
                leases = pots.leases(pot)
                lease = leases.get(lease_id)
                if lease is not None:
                    lease.amount = max(lease.amount - picos, 0)
                    if not lease.amount:
                        del leases[lease_id]
                    pots.save(pot, leases)

    async def renew(self, leases: Sequence[tuple[Pot, UUID]], lasting_s: float) -> Renewal:
        """Prolong leases that have not lapsed."""
        now = self._database.clock.now()
        until = now + timedelta(seconds=lasting_s)
        return Renewal(now, [await self._renew(pot, lease_id, now, until) for pot, lease_id in leases])

    async def now(self) -> datetime:
        """Return the moment by the database's clock."""
        return self._database.clock.now()

    async def _renew(self, pot: Pot, lease_id: UUID, now: datetime, until: datetime) -> bool:
        async with self._database.begin(pot.tenant_id) as tx:
            pots = _Pots(tx)
            leases = pots.leases(pot)
            lease = leases.get(lease_id)
            if lease is None or lease.expires_at <= now:
                return False
            lease.expires_at = max(lease.expires_at, until)
            pots.save(pot, leases)
            return True


def book(tx: MemoryTransaction, charges: Sequence[Charge]) -> None:
    """Book charges: spent, and set aside no longer as far as the lease covers them; none for a budget that is gone."""
    pots = _Pots(tx)
    for charge in charges:
        if tx.get("budget", charge.pot.budget_id) is None:
            continue
        pots.spend(charge.pot, charge.picos)
        leases = pots.leases(charge.pot)
        lease = leases.get(charge.lease_id)
        if lease is not None:
            lease.amount = max(lease.amount - charge.picos, 0)
            pots.save(charge.pot, leases)
