"""Budgets: the use cases."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from omni_core.domain.budgets.errors import InvalidBudget
from omni_core.domain.budgets.events import BudgetRemoved
from omni_core.domain.budgets.model import Budget, BudgetStatus, Maker, Pot, Spending, Window
from omni_core.domain.budgets.ports import BudgetStore, TenantKeys
from omni_core.domain.kernel.clock import Clock
from omni_core.domain.kernel.ids import Ids
from omni_core.domain.kernel.money import AmountText, Money
from omni_core.domain.kernel.tenancy import Principal, Scope
from omni_core.domain.kernel.uow import Transaction, UnitOfWork


class SetBudget(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Make a budget. `limit` is in major units, such as "12.50"; without `key_id` it is the whole tenant's."""

    window: Window
    limit: AmountText
    key_id: UUID | None = None


class Budgets:
    """The budgets of a tenant."""

    def __init__(
        self, uow: UnitOfWork, store: BudgetStore, keys: TenantKeys, clock: Clock, ids: Ids, currency: str
    ) -> None:
        self._uow = uow
        self._store = store
        self._keys = keys
        self._clock = clock
        self._ids = ids
        self._currency = currency

    async def create(self, principal: Principal, command: SetBudget) -> BudgetStatus:
        """Make a budget (budgets:write), in force within a second.

        Raises `InvalidValue`, `BudgetExists`, or `InvalidBudget` for a key that the tenant does not have.
        """
        principal.require(Scope.BUDGETS_WRITE)
        limit = Money.parse(command.limit, self._currency, "limit")
        now = self._clock.now()
        maker = Maker.of(principal)
        budget = Budget(self._ids.new(), principal.tenant_id, command.key_id, command.window, limit, now, maker)
        async with self._uow(principal.tenant_id) as tx:
            if command.key_id is not None and not await self._keys.has(tx, command.key_id):
                raise InvalidBudget("the tenant has no key with this id", field="key_id", allowed="the id of a key")
            await self._store.add(tx, budget)
            await tx.record(budget.was_set())
        return await self._status(principal, budget)

    async def change_limit(self, principal: Principal, budget_id: UUID, limit: str) -> BudgetStatus:
        """Set another limit (budgets:write); raise `UnknownBudget`, `InvalidValue` or `OperatorsBudget`."""
        principal.require(Scope.BUDGETS_WRITE)
        amount = Money.parse(limit, self._currency, "limit")
        async with self._uow(principal.tenant_id) as tx:
            budget = await self._store.lock(tx, budget_id)
            events = budget.change_limit(amount, Maker.of(principal))
            await self._store.save(tx, budget)
            await tx.record(*events)
        return await self._status(principal, budget)

    async def remove(self, principal: Principal, budget_id: UUID) -> None:
        """Remove a budget (budgets:write); raise `UnknownBudget` or `OperatorsBudget`."""
        principal.require(Scope.BUDGETS_WRITE)
        async with self._uow(principal.tenant_id) as tx:
            budget = await self._store.lock(tx, budget_id)
            budget.check_changeable(Maker.of(principal))
            await self._store.remove(tx, budget_id)
            await tx.record(BudgetRemoved(budget_id))

    async def list(self, principal: Principal) -> Sequence[BudgetStatus]:
        """Return the tenant's budgets and their running periods, oldest first (budgets:read)."""
        principal.require(Scope.BUDGETS_READ)
        async with self._uow(principal.tenant_id) as tx:
            return await self._statuses(tx, await self._store.list(tx))

    async def _status(self, principal: Principal, budget: Budget) -> BudgetStatus:
        async with self._uow(principal.tenant_id) as tx:
            (status,) = await self._statuses(tx, [budget])
        return status

    async def _statuses(self, tx: Transaction, budgets: Sequence[Budget]) -> Sequence[BudgetStatus]:
        now = await self._store.now(tx)
        running = [(budget, period) for budget in budgets if (period := budget.window.period(now)) is not None]
        pots = [Pot(budget.tenant_id, budget.id, start) for budget, (start, _) in running]
        spendings = await self._store.spending(tx, pots, now)
        told = {
            budget.id: BudgetStatus(budget, spending, start, end)
            for (budget, (start, end)), spending in zip(running, spendings, strict=True)
        }
        return [told.get(budget.id) or BudgetStatus(budget, Spending(), None, None) for budget in budgets]
