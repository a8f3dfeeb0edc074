"""Budgets, their periods, and what is known of one at a moment."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

import msgspec

from omni_core.domain.budgets.errors import InvalidBudget, OperatorsBudget, UnknownWindow
from omni_core.domain.budgets.events import BudgetSet
from omni_core.domain.kernel.clock import Month, day_start, next_day
from omni_core.domain.kernel.cost import Cost
from omni_core.domain.kernel.money import Money
from omni_core.domain.kernel.stored import check_word, is_rebuilding
from omni_core.domain.kernel.tenancy import Principal, TenantId


class Window(StrEnum):
    """How long a budget's period is; periods begin at midnight UTC."""

    DAY = "day"
    MONTH = "month"

    def period(self, moment: datetime) -> tuple[datetime, datetime] | None:
        """Return the first moment of the period that `moment` falls in, and the first after it.

        None where the window is one that this release does not know.
        """
        find = _PERIODS.get(self)
        return None if find is None else find(moment)


_PERIODS: Mapping[Window, Callable[[datetime], tuple[datetime, datetime]]] = {
    Window.DAY: lambda moment: (day_start(moment), next_day(moment)),
    Window.MONTH: lambda moment: (Month.of(moment).start, Month.of(moment).end),
}


class Maker(StrEnum):
    """Who set a budget: the operator of the installation, or the tenant for itself."""

    OPERATOR = "operator"
    TENANT = "tenant"

    @classmethod
    def of(cls, principal: Principal) -> "Maker":
        """Return as whom a caller sets budgets."""
        return cls.OPERATOR if principal.is_operator else cls.TENANT


@dataclass(slots=True)
class Budget:
    """A limit on what a tenant, or one key of it, may spend in each period.

    One that the operator set is not the tenant's to change or remove; nor is one of which that is not known.
    """

    id: UUID
    tenant_id: TenantId
    key_id: UUID | None
    window: Window
    limit: Money
    created_at: datetime
    made_by: Maker = Maker.OPERATOR

    def __post_init__(self) -> None:
        if is_rebuilding():
            return
        check_word(Window, self.window, "window")
        check_word(Maker, self.made_by, "made_by")
        self._check(self.limit)

    def period(self, moment: datetime) -> tuple[datetime, datetime]:
        """Return the first moment of the period of `moment`, and the first after it; raise `UnknownWindow`."""
        period = self.window.period(moment)
        if period is None:
            raise UnknownWindow(
                f"a budget is for each {self.window}, which this release does not know",
                budget_id=str(self.id),
                window=self.window.value,
            )
        return period

    def check_changeable(self, by: Maker) -> None:
        """Raise `OperatorsBudget` unless it is theirs to change or remove."""
        if by is not Maker.OPERATOR and self.made_by is not Maker.TENANT:
            raise OperatorsBudget(budget_id=str(self.id))

    def change_limit(self, limit: Money, by: Maker = Maker.OPERATOR) -> list[BudgetSet]:
        """Set another limit, in force for the running period as well. What the operator sets is theirs from then on.

        Raises `InvalidBudget` or `OperatorsBudget`.
        """
        self.check_changeable(by)
        self._check(limit)
        self.made_by = by
        if limit == self.limit:
            return []
        self.limit = limit
        return [self.was_set()]

    def was_set(self) -> BudgetSet:
        """Return the event that tells this budget's limit."""
        return BudgetSet(self.id, self.limit.minor, self.limit.currency)

    @staticmethod
    def _check(limit: Money) -> None:
        if limit.minor < 0:
            raise InvalidBudget("limit must not be negative", field="limit", allowed="0 or more")


class Spending(msgspec.Struct, frozen=True):
    """What a period has cost so far: `spent_picos` is settled, `reserved_picos` is set aside for calls under way."""

    spent_picos: int = 0
    reserved_picos: int = 0


class BudgetStatus(msgspec.Struct, frozen=True):
    """A budget and its running period; money in 10⁻¹² of the currency's major unit.

    Nothing is known of the period where the budget's window is one that this release does not know.
    """

    budget: Budget
    spending: Spending
    period_start: datetime | None
    resets_at: datetime | None

    @property
    def remaining_picos(self) -> int:
        """What can still be spent or set aside, never below 0."""
        return max(0, self.budget.limit.picos - self.spending.spent_picos - self.spending.reserved_picos)

    @property
    def spent(self) -> Cost:
        """What the calls of the period have cost."""
        return Cost(self.spending.spent_picos, self.budget.limit.currency)

    @property
    def reserved(self) -> Cost:
        """What is set aside for calls under way."""
        return Cost(self.spending.reserved_picos, self.budget.limit.currency)

    @property
    def remaining(self) -> Cost:
        """What can still be spent or set aside."""
        return Cost(self.remaining_picos, self.budget.limit.currency)


class Pot(msgspec.Struct, frozen=True):
    """One period of one budget: the thing that is drawn from."""

    tenant_id: TenantId
    budget_id: UUID
    period_start: datetime


class Charge(msgspec.Struct, frozen=True):
    """An amount to book on a pot when the usage that caused it is committed: spent, and no longer set aside.

    `lease_id` names the lease that covers it.
    """

    pot: Pot
    lease_id: UUID
    picos: int
