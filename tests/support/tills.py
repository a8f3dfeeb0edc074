"""A tenant with budgets, and the desks at which its calls reserve, on any backend."""

from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa

from omni_core.adapters.memory.budgets import MemoryBudgetStore, MemoryLeases
from omni_core.adapters.memory.metering import MemoryUsageLog
from omni_core.adapters.postgres.budgets import PostgresBudgetStore, PostgresLeases
from omni_core.adapters.postgres.engine import Database
from omni_core.adapters.postgres.tables.budgets import budget_lease
from omni_core.adapters.postgres.uow import connection_of
from omni_core.adapters.postgres.usage_log import PostgresUsageLog
from omni_core.domain.budgets.api import Budget, BudgetDesk, Reservation, Spending, Window
from omni_core.domain.budgets.ports import Leases
from omni_core.domain.kernel.clock import Clock
from omni_core.domain.kernel.money import Money
from omni_core.domain.kernel.tenancy import Principal, TenantId
from omni_core.testing.builders.budgets import CENT, a_budget, pot_of, spending_of, stored
from omni_core.testing.builders.kernel import a_tenant_id
from omni_core.testing.builders.metering import a_call
from omni_core.testing.builders.pricing import a_price
from omni_core.testing.builders.tenancy import a_principal
from tests.support.backends import Backend

_PRICE = a_price()


class Till:
    """The tenant. Each desk of it stands for a process; amounts are in cents."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.tenant_id = a_tenant_id()
        self.principal = a_principal(self.tenant_id)
        self.budget_store = backend.adapter(MemoryBudgetStore, PostgresBudgetStore)
        self.leases = backend.adapter(MemoryLeases, PostgresLeases)
        self.usage_log = backend.adapter(MemoryUsageLog, PostgresUsageLog)

    def desk(self, *, wait_s: float = 0.0, leases: Leases | None = None, clock: Clock | None = None) -> BudgetDesk:
        """Return the desk of another process, on a machine whose clock may differ from the database's."""
        backend = self.backend
        return BudgetDesk(
            backend.uow,
            self.budget_store,
            leases or self.leases,
            clock or backend.clock,
            backend.ids,
            wait_s=wait_s,
        )

    async def budget(self, limit: int = 100, *, key_id: UUID | None = None, window: Window = Window.MONTH) -> Budget:
        """Make a budget, of the whole tenant unless a key is named."""
        budget = a_budget(self.tenant_id, limit=limit, key_id=key_id, window=window)
        return await stored(self.backend.uow, self.budget_store, budget)

    async def change_limit(self, budget: Budget, limit: int) -> None:
        """Set another limit."""
        async with self.backend.uow(self.tenant_id) as tx:
            locked = await self.budget_store.lock(tx, budget.id)
            locked.change_limit(Money(limit, "USD"))
            await self.budget_store.save(tx, locked)

    async def remove(self, budget: Budget) -> None:
        """Remove a budget."""
        async with self.backend.uow(self.tenant_id) as tx:
            await self.budget_store.remove(tx, budget.id)

    async def reserve(self, desk: BudgetDesk, cents: int, principal: Principal | None = None) -> Reservation:
        """Reserve for the tenant's caller, or for another."""
        return await desk.reserve(principal or self.principal, cents * CENT)

    async def spend(self, reservation: Reservation, cents: int) -> None:
        """Commit a call of that cost, and settle its reservation."""
        event = a_call(self.tenant_id, _PRICE, occurred_at=self.backend.clock.now())
        await self.usage_log.append(event, reservation.charges(cents * CENT))
        reservation.settle(cents * CENT)

    async def spending(self, budget: Budget) -> tuple[int, int]:
        """Return what the running period has spent and set aside, in cents."""
        pot = pot_of(budget, await self.leases.now())
        found: Spending = await spending_of(self.backend.uow, self.budget_store, pot)
        return found.spent_picos // CENT, found.reserved_picos // CENT

    async def pass_time(self, seconds: float) -> None:
        """Let time pass: on this machine, and for leases of the tenant by the database's clock."""
        await let_pass(self.backend, self.tenant_id, seconds)


async def let_pass(backend: Backend, tenant_id: TenantId, seconds: float) -> None:
    """Let time pass, by the clock and, for leases of the tenant, by the database's, which no test can turn."""
    backend.clock.advance(seconds)
    if isinstance(backend.database, Database):
        async with backend.uow(tenant_id) as tx:
            earlier = budget_lease.c.expires_at - timedelta(seconds=seconds)
            of_tenant = budget_lease.c.tenant_id == tenant_id
            await connection_of(tx).execute(sa.update(budget_lease).where(of_tenant).values(expires_at=earlier))
