"""A tenant with budgets, and the desks at which its calls reserve, on any backend."""

from uuid import UUID

from omni_core.domain.budgets.api import Budget, BudgetDesk, Reservation, Spending, Window
from omni_core.domain.budgets.ports import Leases
from omni_core.domain.kernel.money import Money
from omni_core.domain.kernel.tenancy import Principal
from omni_core.testing.builders import a_principal, a_tenant_id
from omni_core.testing.priced_usage import a_call, a_price
from omni_core.testing.spending import CENT, a_budget, pot_of, spending_of, stored
from tests.support.backends import Backend

_PRICE = a_price()


class Till:
    """The tenant. Each desk of it stands for a process; amounts are in cents."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.tenant_id = a_tenant_id()
        self.principal = a_principal(self.tenant_id)

    def desk(self, *, wait_s: float = 0.0, leases: Leases | None = None) -> BudgetDesk:
        """Return the desk of another process."""
        backend = self.backend
        return BudgetDesk(
            backend.uow, backend.budget_store, leases or backend.leases, backend.clock, backend.ids, wait_s=wait_s
        )

    async def budget(self, limit: int = 100, *, key_id: UUID | None = None, window: Window = Window.MONTH) -> Budget:
        """Make a budget, of the whole tenant unless a key is named."""
        budget = a_budget(self.tenant_id, limit=limit, key_id=key_id, window=window)
        return await stored(self.backend.uow, self.backend.budget_store, budget)

    async def change_limit(self, budget: Budget, limit: int) -> None:
        """Set another limit."""
        async with self.backend.uow(self.tenant_id) as tx:
            locked = await self.backend.budget_store.lock(tx, budget.id)
            locked.change_limit(Money(limit, "USD"))
            await self.backend.budget_store.save(tx, locked)

    async def remove(self, budget: Budget) -> None:
        """Remove a budget."""
        async with self.backend.uow(self.tenant_id) as tx:
            await self.backend.budget_store.remove(tx, budget.id)

    async def reserve(self, desk: BudgetDesk, cents: int, principal: Principal | None = None) -> Reservation:
        """Reserve for the tenant's caller, or for another."""
        return await desk.reserve(principal or self.principal, cents * CENT)

    async def spend(self, reservation: Reservation, cents: int) -> None:
        """Commit a call of that cost, and settle its reservation."""
        event = a_call(self.tenant_id, _PRICE, occurred_at=self.backend.clock.now())
        await self.backend.usage_log.append(event, reservation.charges(cents * CENT))
        reservation.settle(cents * CENT)

    async def spending(self, budget: Budget) -> tuple[int, int]:
        """Return what the running period has spent and set aside, in cents."""
        now = self.backend.clock.now()
        found: Spending = await spending_of(self.backend.uow, self.backend.budget_store, pot_of(budget, now), now)
        return found.spent_picos // CENT, found.reserved_picos // CENT
