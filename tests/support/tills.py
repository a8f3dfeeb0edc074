"""A tenant with budgets, and the desks at which its calls reserve, on any backend."""

from uuid import UUID

from omni_core.adapters.memory.budgets import MemoryBudgetStore, MemoryLeases
from omni_core.adapters.memory.metering import MemoryUsageLog
from omni_core.adapters.postgres.budgets import PostgresBudgetStore, PostgresLeases
from omni_core.adapters.postgres.usage_log import PostgresUsageLog
from omni_core.domain.budgets.api import Budget, BudgetDesk, Reservation, Spending, Window
from omni_core.domain.budgets.ports import Leases
from omni_core.domain.kernel.money import Money
from omni_core.domain.kernel.tenancy import Principal
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

    def desk(self, *, wait_s: float = 0.0, leases: Leases | None = None) -> BudgetDesk:
        """Return the desk of another process."""
        backend = self.backend
        return BudgetDesk(
            backend.uow,
            self.budget_store,
            leases or self.leases,
            backend.clock,
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
        now = self.backend.clock.now()
        found: Spending = await spending_of(self.backend.uow, self.budget_store, pot_of(budget, now), now)
        return found.spent_picos // CENT, found.reserved_picos // CENT
