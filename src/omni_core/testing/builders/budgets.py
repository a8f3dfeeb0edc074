"""Budgets, and what is set aside and spent of them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from omni_core.domain.budgets.model import Budget, Charge, Pot, Spending, Window
from omni_core.domain.budgets.ports import BudgetStore, Grant, Leases
from omni_core.domain.kernel.money import Money
from omni_core.domain.kernel.tenancy import TenantId
from omni_core.domain.kernel.uow import UnitOfWork
from omni_core.testing.builders.kernel import an_id
from omni_core.testing.clock import NOON

CENT = 10**10
"""A hundredth of a major unit, in picos."""
LATER = NOON + timedelta(seconds=30)
"""When a lease lapses that was taken at `NOON`."""


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


async def acquire(
    leases: Leases, pot: Pot, lease_id: UUID, need: int, *, want: int | None = None, now: datetime = NOON
) -> Grant:
    """Acquire `need` for 30 seconds from `now`."""
    until = now + (LATER - NOON)
    return await leases.acquire(pot, lease_id, need=need, want=want or need, now=now, until=until)


async def stored(uow: UnitOfWork, budget_store: BudgetStore, budget: Budget) -> Budget:
    """Commit a new budget and return it."""
    async with uow(budget.tenant_id) as tx:
        await budget_store.add(tx, budget)
    return budget


async def spending_of(uow: UnitOfWork, budget_store: BudgetStore, pot: Pot, now: datetime = NOON) -> Spending:
    """Return what a pot has cost, as it is committed."""
    async with uow(pot.tenant_id) as tx:
        found: Sequence[Spending] = await budget_store.spending(tx, [pot], now)
    return found[0]
