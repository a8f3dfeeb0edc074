"""What happened to budgets."""

from typing import ClassVar
from uuid import UUID

from omni_core.domain.kernel.events import Event


class BudgetSet(Event, frozen=True):
    """A budget was made, or its limit changed."""

    event_type: ClassVar[str] = "budgets.budget_set"
    aggregate: ClassVar[str] = "budget_id"
    budget_id: UUID
    limit_minor: int
    currency: str


class BudgetRemoved(Event, frozen=True):
    """A budget was removed."""

    event_type: ClassVar[str] = "budgets.budget_removed"
    aggregate: ClassVar[str] = "budget_id"
    budget_id: UUID
