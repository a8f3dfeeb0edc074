"""Budgets over the wire."""

from datetime import datetime
from uuid import UUID

import msgspec

from omni_core.domain.budgets.api import BudgetStatus
from omni_core.domain.kernel.money import AmountText
from omni_http.amounts import Amount, Cost


class ChangeLimit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Another limit, in major units."""

    limit: AmountText


class BudgetView(msgspec.Struct, frozen=True):
    """A budget and its running period; `reserved` is set aside for calls under way.

    One `made_by` the `operator` is not the tenant's to change or remove.

    `period_start` and `resets_at` are null where the window is one that this release does not know: no call that the
    budget holds for is let through.
    """

    id: UUID
    key_id: UUID | None
    window: str
    made_by: str
    limit: Amount
    spent: Cost
    reserved: Cost
    remaining: Cost
    period_start: datetime | None
    resets_at: datetime | None

    @classmethod
    def of(cls, status: BudgetStatus) -> "BudgetView":
        """Return a budget for the wire."""
        budget, currency = status.budget, status.budget.limit.currency
        return cls(
            id=budget.id,
            key_id=budget.key_id,
            window=budget.window,
            made_by=budget.made_by,
            limit=Amount.of(budget.limit),
            spent=Cost.of(status.spending.spent_picos, currency),
            reserved=Cost.of(status.spending.reserved_picos, currency),
            remaining=Cost.of(status.remaining_picos, currency),
            period_start=status.period_start,
            resets_at=status.resets_at,
        )
