"""What budgets need from outside."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

import msgspec

from omni_core.domain.budgets.model import Budget, Pot, Spending
from omni_core.domain.kernel.uow import Transaction


class BudgetStore(Protocol):
    """Budgets of the transaction's tenant."""

    async def add(self, tx: Transaction, budget: Budget) -> None:
        """Store a new budget."""
        ...

    async def lock(self, tx: Transaction, budget_id: UUID) -> Budget:
        """Return a budget and keep others from changing it; raise `UnknownBudget`."""
        ...

    async def save(self, tx: Transaction, budget: Budget) -> None:
        """Store the limit of a budget that was locked."""
        ...

    async def remove(self, tx: Transaction, budget_id: UUID) -> None:
        """Remove a budget that was locked; what was spent under it stays in the usage log."""
        ...

    async def list(self, tx: Transaction) -> Sequence[Budget]:
        """Return the tenant's budgets, oldest first."""
        ...

    async def spending(self, tx: Transaction, pots: Sequence[Pot], now: datetime) -> Sequence[Spending]:
        """Return what each pot has cost so far, in the order asked; lapsed leases count as nothing."""
        ...


class Grant(msgspec.Struct, frozen=True):
    """The answer to a wish for money. `granted_picos` is 0 where less than the need was free.

    `spent_picos` and `limit_picos` tell whether waiting for others to settle could help.
    """

    granted_picos: int
    spent_picos: int
    limit_picos: int


class Leases(Protocol):
    """Money set aside in the database for one process; spent and leased together never pass a limit.

    Leases lapse unless they are renewed, so that the money of a process that was killed comes back by itself.
    """

    async def acquire(self, pot: Pot, lease_id: UUID, *, need: int, want: int, now: datetime, until: datetime) -> Grant:
        """Add at least `need` picos to the lease, up to about `want` where the pot is far from its end.

        Makes the lease if there is none. Raises `UnknownBudget` where the budget is gone.
        """
        ...

    async def give_back(self, pot: Pot, lease_id: UUID, picos: int) -> None:
        """Return money that was not needed."""
        ...

    async def renew(self, leases: Sequence[tuple[Pot, UUID]], now: datetime, until: datetime) -> Sequence[bool]:
        """Prolong leases; tell for each, in order, whether it was still there."""
        ...
