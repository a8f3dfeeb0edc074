"""Budgets."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from litestar import Controller, delete, get, patch, post
from litestar.openapi.spec import Example
from litestar.params import Body, FromPath

from omni_core import SetBudget
from omni_http.bodies import body_of
from omni_http.services import KeyedRequest, omni_of
from omni_http.wire.budgets import BudgetView, ChangeLimit

_BUDGET = Example(value={"window": "month", "limit": "100.00"})
_LIMIT = Example(value={"limit": "250.00"})


class BudgetsController(Controller):
    """How much the tenant, or one key, may spend in a day or a month."""

    path = "/v1/budgets"
    tags: Sequence[str] | None = ["budgets"]

    @get()
    async def list_budgets(self, request: KeyedRequest) -> list[BudgetView]:
        """List the budgets and what is left of them (scope `budgets:read`)."""
        return [BudgetView.of(status) for status in await omni_of(request).budgets.list(request.user)]

    @post(dto=body_of(SetBudget), return_dto=None)
    async def create_budget(
        self, request: KeyedRequest, data: Annotated[SetBudget, Body(examples=[_BUDGET])]
    ) -> BudgetView:
        """Make a budget, in force within a second (scope `budgets:write`)."""
        return BudgetView.of(await omni_of(request).budgets.create(request.user, data))

    @patch("/{budget_id:uuid}", dto=body_of(ChangeLimit), return_dto=None)
    async def change_budget_limit(
        self, request: KeyedRequest, budget_id: FromPath[UUID], data: Annotated[ChangeLimit, Body(examples=[_LIMIT])]
    ) -> BudgetView:
        """Set another limit, in force for the running period as well (scope `budgets:write`).

        The operator's budget is theirs alone to change (`platform:admin`).
        """
        return BudgetView.of(await omni_of(request).budgets.change_limit(request.user, budget_id, data.limit))

    @delete("/{budget_id:uuid}")
    async def remove_budget(self, request: KeyedRequest, budget_id: FromPath[UUID]) -> None:
        """Remove a budget; what was spent stays in the usage (scope `budgets:write`).

        The operator's budget is theirs alone to remove (`platform:admin`).
        """
        await omni_of(request).budgets.remove(request.user, budget_id)
