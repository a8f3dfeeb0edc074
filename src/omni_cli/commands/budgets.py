"""`omni budgets`."""

from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from omni_cli.jsonform import as_json
from omni_cli.options import Json, Tenant, commands, examples
from omni_cli.output import Column, print_json, print_record, print_rows, print_text
from omni_cli.session import for_tenant
from omni_core.domain.budgets.api import BudgetStatus, SetBudget, Window
from omni_core.domain.kernel.money import format_picos
from omni_core.domain.kernel.tenancy import Principal

if TYPE_CHECKING:
    from omni_core.bootstrap.omni import Omni

budgets = commands("What a tenant, or a key of it, may spend.")

_BUDGET: list[Column[BudgetStatus]] = [
    Column("per", lambda status: status.budget.window),
    Column("limit", lambda status: status.budget.limit, numeric=True),
    Column("spent", lambda status: format_picos(status.spending.spent_picos), numeric=True),
    Column("set aside", lambda status: format_picos(status.spending.reserved_picos), numeric=True),
    Column("remaining", lambda status: format_picos(status.remaining_picos), numeric=True),
    Column("resets", lambda status: status.resets_at),
    Column("key", lambda status: status.budget.key_id or "whole tenant"),
    Column("made by", lambda status: status.budget.made_by),
    Column("id", lambda status: status.budget.id),
]


@budgets.command(
    "set",
    epilog=examples(
        "omni budgets set --tenant demo --limit 100",
        "omni budgets set --tenant demo --limit 2.50 --window day --key 01234567-89ab-7def-8123-456789abcdef",
    ),
)
def set_budget(
    limit: Annotated[
        str, typer.Option(metavar="12.50", help="What may be spent, in major units of the installation's currency.")
    ],
    tenant: Tenant = None,
    window: Annotated[Window, typer.Option(help="The period; it begins at midnight UTC.")] = Window.MONTH,
    key: Annotated[
        UUID | None, typer.Option(metavar="KEY", help="Id of a key, for a budget of that key alone.")
    ] = None,
    json: Json = False,
) -> None:
    """Make a budget, or change its limit.

    A tenant, and each key of it, has one for each day and one for each month. It is in force within a second.
    """

    async def set_or_change(omni: "Omni", operator: Principal) -> BudgetStatus:
        for status in await omni.budgets.list(operator):
            if (status.budget.window, status.budget.key_id) == (window, key):
                return await omni.budgets.change_limit(operator, status.budget.id, limit)
        return await omni.budgets.create(operator, SetBudget(window, limit, key))

    print_record(for_tenant(tenant, set_or_change), _BUDGET, json=json, view=_view)


@budgets.command("list", epilog=examples("omni budgets list --tenant demo", "omni budgets list --tenant demo --json"))
def list_budgets(tenant: Tenant = None, json: Json = False) -> None:
    """List budgets, and what is left of each."""
    found = for_tenant(tenant, lambda omni, operator: omni.budgets.list(operator))
    print_rows(found, _BUDGET, json=json, view=_view)


@budgets.command("remove", epilog=examples("omni budgets remove 01234567-89ab-7def-8123-456789abcdef --tenant demo"))
def remove_budget(
    budget_id: Annotated[UUID, typer.Argument(metavar="BUDGET", help="The budget's id.")],
    tenant: Tenant = None,
    json: Json = False,
) -> None:
    """Remove a budget.

    Nothing limits its tenant or key any more, unless another budget does.
    """
    for_tenant(tenant, lambda omni, operator: omni.budgets.remove(operator, budget_id))
    if json:
        print_json({"removed": budget_id})
    else:
        print_text(f"removed {budget_id}")


def _view(status: BudgetStatus) -> dict[str, Any]:
    return {**as_json(status), **as_json({"remaining_picos": status.remaining_picos})}
