"""Budgets, and what is set aside and spent of them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from omni_core.domain.budgets.errors import UnknownBudget
from omni_core.domain.budgets.model import Budget, Charge, Pot, Spending, Window
from omni_core.domain.budgets.ports import BudgetStore, Grant, Grants, Leases, Need, Wish
from omni_core.domain.kernel.money import Money
from omni_core.domain.kernel.tenancy import TenantId
from omni_core.domain.kernel.uow import UnitOfWork
from omni_core.testing.builders.kernel import an_id
from omni_core.testing.clock import NOON

CENT = 10**10
"""A hundredth of a major unit, in picos."""
LASTING_S = 30.0
"""How long the leases last that are acquired here, in seconds."""


def a_budget(tenant_id: TenantId, **given: Any) -> Budget:
    """Return a budget of $1.00 a month for the whole tenant; `given` are fields of `Budget`, `limit` also as cents."""
    limit = given.pop("limit", 100)
    return Budget(
        **{
            "id": an_id(),
            "tenant_id": tenant_id,
            "key_id": None,
            "window": Window.MONTH,
            "limit": Money(limit, "USD") if isinstance(limit, int) else limit,
            "created_at": NOON,
            **given,
        }
    )


def a_lease_id() -> UUID:
    """Return the id of a lease that nobody holds."""
    return an_id()


def pot_of(budget: Budget, moment: datetime = NOON) -> Pot:
    """Return the pot of the period that `moment` falls in."""
    return Pot(budget.tenant_id, budget.id, budget.period(moment)[0])


def a_charge(pot: Pot, picos: int, lease_id: UUID | None = None) -> Charge:
    """Return a charge, without `lease_id` one that no lease covers."""
    return Charge(pot, lease_id or a_lease_id(), picos)


async def acquire_all(
    leases: Leases, pots: Sequence[Pot], needs: Sequence[int], *, lease_ids: Sequence[UUID] | None = None
) -> Grants:
    """Acquire for calls that each draw on all of the pots, on new leases unless some are named."""
    ids = lease_ids or [a_lease_id() for _ in pots]
    wishes = [Wish(pot, lease_id) for pot, lease_id in zip(pots, ids, strict=True)]
    return await leases.acquire(wishes, [Need(need, tuple(range(len(pots)))) for need in needs], LASTING_S)


async def acquire(leases: Leases, pot: Pot, lease_id: UUID, *needs: int) -> Grant:
    """Acquire for calls that draw on a pot that is there."""
    (grant,) = (await acquire_all(leases, [pot], needs, lease_ids=[lease_id])).each
    if grant is None:
        raise UnknownBudget(budget_id=str(pot.budget_id))
    return grant


async def stored(uow: UnitOfWork, budget_store: BudgetStore, budget: Budget) -> Budget:
    """Commit a new budget and return it."""
    async with uow(budget.tenant_id) as tx:
        await budget_store.add(tx, budget)
    return budget


async def spending_of(uow: UnitOfWork, budget_store: BudgetStore, pot: Pot) -> Spending:
    """Return what a pot has cost, as it is committed."""
    async with uow(pot.tenant_id) as tx:
        found: Sequence[Spending] = await budget_store.spending(tx, [pot], await budget_store.now(tx))
    return found[0]
