"""Budgets, and the leases on them, in memory."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from omni_core.adapters.memory.database import MemoryDatabase, MemoryTransaction, memory_tx
from omni_core.domain.budgets.api import Charge
from omni_core.domain.budgets.errors import BudgetExists, UnknownBudget
from omni_core.domain.budgets.model import Budget, Pot, Spending
from omni_core.domain.budgets.ports import Grant
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
        """Store the limit."""
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

    async def acquire(self, pot: Pot, lease_id: UUID, *, need: int, want: int, now: datetime, until: datetime) -> Grant:
        """Add to a lease what the pot can spare."""
        async with self._database.begin(pot.tenant_id) as tx:
            budget: Budget = tx.one("budget", pot.budget_id, UnknownBudget(budget_id=str(pot.budget_id)))
            pots = _Pots(tx)
            spent, limit = pots.spent(pot), budget.limit.picos
            leases = {key: lease for key, lease in pots.leases(pot).items() if lease.expires_at > now}
            available = limit - spent - sum(lease.amount for lease in leases.values())
            granted = 0
            if available >= need:
                granted = min(available, max(want, min(available // SURPLUS_SHARE, want * SURPLUS_FACTOR)))
            if granted:
                lease = leases.setdefault(lease_id, _Lease(0, until))
                lease.amount += granted
                lease.expires_at = max(lease.expires_at, until)
            pots.save(pot, leases)
            return Grant(granted, spent, limit)

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

    async def renew(self, leases: Sequence[tuple[Pot, UUID]], now: datetime, until: datetime) -> Sequence[bool]:
        """Prolong leases that have not lapsed."""
        return [await self._renew(pot, lease_id, now, until) for pot, lease_id in leases]

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
