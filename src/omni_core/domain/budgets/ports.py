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
        """Store the limit of a budget that was locked, and who made it."""
        ...

    async def remove(self, tx: Transaction, budget_id: UUID) -> None:
        """Remove a budget that was locked; what was spent under it stays in the usage log."""
        ...

    async def list(self, tx: Transaction) -> Sequence[Budget]:
        """Return the tenant's budgets, oldest first."""
        ...

    async def now(self, tx: Transaction) -> datetime:
        """Return the moment by the clock that periods and leases go by: the database's, not this machine's."""
        ...

    async def spending(self, tx: Transaction, pots: Sequence[Pot], now: datetime) -> Sequence[Spending]:
        """Return what each pot has cost so far, in the order asked; lapsed leases count as nothing."""
        ...


class TenantKeys(Protocol):
    """The API keys of the transaction's tenant, as far as budgets ask; tenancy's `KeyStore` is one."""

    async def has(self, tx: Transaction, key_id: UUID) -> bool:
        """Tell whether the tenant has a key with this id, revoked or not."""
        ...


class Wish(msgspec.Struct, frozen=True):
    """A lease on a pot, to be added to for calls that wait.

    `free_picos` of it are kept for these calls already, below 0 where earlier calls cost more than they had reserved.
    `is_held` tells that there must be such a lease.
    """

    pot: Pot
    lease_id: UUID
    free_picos: int = 0
    is_held: bool = False


class Need(msgspec.Struct, frozen=True):
    """A call that waits: the most that it may cost, and the places (from 0) of all wishes that it draws on."""

    picos: int
    places: tuple[int, ...]


class Grant(msgspec.Struct, frozen=True):
    """The answer to a wish. `left_picos` is what the calls could still have drawn: a call that needs more was too much.

    `spent_picos` and `limit_picos` tell whether waiting for others to settle could help. A pot that `is_scarce` is
    near its end and spares no surplus. Where it is not `is_valid`, nothing was granted, because the pot is not that of
    the period that runs, or the lease has lapsed: ask for another.
    """

    granted_picos: int
    spent_picos: int
    limit_picos: int
    left_picos: int
    is_scarce: bool = False
    is_valid: bool = True


class Grants(msgspec.Struct, frozen=True):
    """The answers in the order of the wishes, None for a budget that is gone; `moment` is that of the leases' clock."""

    moment: datetime
    each: Sequence[Grant | None]


class Renewal(msgspec.Struct, frozen=True):
    """For each lease, in order, whether it was still there; `moment` is that of the leases' clock."""

    moment: datetime
    alive: Sequence[bool]


class Leases(Protocol):
    """Money set aside in the database for one process; no grant takes spent and leased together past a limit.

    Leases lapse unless they are renewed, so that the money of a process that was killed comes back by itself. How long
    they last, and which period runs, goes by one clock for all processes: the database's.
    """

    async def acquire(self, wishes: Sequence[Wish], needs: Sequence[Need], lasting_s: float) -> Grants:
        """Add to the leases what the calls need, for each call on all of its pots or on none.

        The wishes are of one tenant and for different pots. The calls are served in order, each that still fits. On top
        comes a surplus, in whole calls, where all pots of a call are far from their end. A budget that is gone
        stops no call.

        Makes leases that there are none of, takes back what has lapsed, and prolongs leases to `lasting_s` seconds from
        now where something is granted.
        """
        ...

    async def give_back(self, returns: Sequence[tuple[Pot, UUID, int]]) -> None:
        """Return money that was not needed, of many leases; one that nothing is left of is gone."""
        ...

    async def renew(self, leases: Sequence[tuple[Pot, UUID]], lasting_s: float) -> Renewal:
        """Prolong leases to `lasting_s` seconds from now, if they have not lapsed."""
        ...

    async def now(self) -> datetime:
        """Return the moment by the leases' clock."""
        ...
