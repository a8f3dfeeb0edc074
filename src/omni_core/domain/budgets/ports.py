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
        """Store a new budget; raise `BudgetExists` where its key, or the tenant, has one for its window."""
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


class TenantKeys(Protocol):
    """The API keys of the transaction's tenant, as far as budgets ask; tenancy's `KeyStore` is one."""

    async def has(self, tx: Transaction, key_id: UUID) -> bool:
        """Tell whether the tenant has a key with this id, revoked or not."""
        ...


class Grant(msgspec.Struct, frozen=True):
    """The answer to a wish for money. `granted_picos` is 0 where less than the need was free.

    `spent_picos` and `limit_picos` tell whether waiting for others to settle could help.
    """

    granted_picos: int
    spent_picos: int
    limit_picos: int


class Leases(Protocol):
    """Money set aside in the database for one process; no grant takes spent and leased together past a limit.

    Leases lapse unless they are renewed, so that the money of a process that was killed comes back by itself.
    """

    async def acquire(self, pot: Pot, lease_id: UUID, *, need: int, want: int, now: datetime, until: datetime) -> Grant:
        """Add at least `need` picos to the lease, up to about `want` where the pot is far from its end.

        `want` is at least `need`. Makes the lease if there is none, takes back what has lapsed by `now`, and prolongs
        the lease to `until` where it grants something. Raises `UnknownBudget` where the budget is gone.
        """
        ...

    async def give_back(self, returns: Sequence[tuple[Pot, UUID, int]]) -> None:
        """Return money that was not needed, of many leases; one that nothing is left of is gone."""
        ...

    async def renew(self, leases: Sequence[tuple[Pot, UUID]], now: datetime, until: datetime) -> Sequence[bool]:
        """Prolong leases; tell for each, in order, whether it was still there at `now`."""
        ...
