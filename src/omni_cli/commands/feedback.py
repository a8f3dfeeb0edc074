"""`omni feedback`."""

from typing import Annotated
from uuid import UUID

import typer

from omni_cli.options import ROWS, Cursor, Json, Limit, Tenant, Where, commands, examples
from omni_cli.output import Column, print_record, print_rows
from omni_cli.session import for_tenant
from omni_core.domain.feedback.api import (
    ChangeFeedback,
    FeedbackCategory,
    FeedbackPriority,
    FeedbackStatus,
    FeedbackTally,
    FeedbackVote,
    Item,
    SubmitFeedback,
)
from omni_core.domain.kernel.pages import PageRequest

feedback = commands("What customers report and wish for, with votes.")

_ITEM: list[Column[Item]] = [
    Column("votes", lambda item: item.votes, numeric=True),
    Column("title", lambda item: item.title, wraps=True),
    Column("category", lambda item: item.category),
    Column("status", lambda item: item.status),
    Column("priority", lambda item: item.priority),
    Column("submitted", lambda item: item.created_at),
    Column("id", lambda item: item.id),
]
_DETAILS: list[Column[Item]] = [
    *_ITEM,
    Column("text", lambda item: item.text, wraps=True),
    Column("changed", lambda item: item.changed_at),
    Column("submitted by", lambda item: item.submitted_by),
]
_VOTE: list[Column[FeedbackVote]] = [
    Column("person", lambda vote: vote.person),
    Column("cast", lambda vote: vote.cast_at),
]
_TALLY: list[Column[FeedbackTally]] = [
    Column("category", lambda tally: tally.category),
    Column("status", lambda tally: tally.status),
    Column("items", lambda tally: tally.items, numeric=True),
    Column("votes", lambda tally: tally.votes, numeric=True),
]
_EXAMPLE_ID = "01234567-89ab-7def-8123-456789abcdef"
ItemId = Annotated[UUID, typer.Argument(metavar="ITEM", help="The item's id.")]
Person = Annotated[str | None, typer.Option(metavar="PERSON", help="Whose vote: the tenant's own id of a person.")]


@feedback.command(
    "submit",
    epilog=examples(
        "omni feedback submit 'Export usage as CSV' 'We copy the table by hand each month.' --category feature_request"
    ),
)
def submit_item(
    title: Annotated[str, typer.Argument(metavar="TITLE", help="5 to 200 characters.")],
    text: Annotated[str, typer.Argument(metavar="TEXT", help="10 to 5,000 characters.")],
    category: Annotated[FeedbackCategory, typer.Option(help="What it is about.")] = FeedbackCategory.GENERAL,
    priority: Annotated[FeedbackPriority, typer.Option(help="How soon it matters.")] = FeedbackPriority.MEDIUM,
    tenant: Tenant = None,
    json: Json = False,
) -> None:
    """Report or wish for something."""
    command = SubmitFeedback(title, text, category, priority)
    _print_item(for_tenant(tenant, lambda omni, operator: omni.feedback.submit(operator, command)), json=json)


@feedback.command(
    "list",
    epilog=examples(
        "omni feedback list --tenant demo", "omni feedback list --where 'status = new and votes >= 3' --json"
    ),
)
def list_items(
    tenant: Tenant = None,
    where: Where = None,
    limit: Limit = ROWS,
    cursor: Cursor = None,
    json: Json = False,
) -> None:
    """List items, newest first."""
    page = for_tenant(tenant, lambda omni, operator: omni.feedback.list(operator, PageRequest(limit, cursor), where))
    print_rows(page.items, _ITEM, json=json, next_cursor=page.next_cursor)


@feedback.command("show", epilog=examples(f"omni feedback show {_EXAMPLE_ID} --tenant demo"))
def show_item(item_id: ItemId, tenant: Tenant = None, json: Json = False) -> None:
    """Show an item with its text."""
    _print_item(for_tenant(tenant, lambda omni, operator: omni.feedback.get(operator, item_id)), json=json)


@feedback.command("change", epilog=examples(f"omni feedback change {_EXAMPLE_ID} --status reviewing --priority high"))
def change_item(
    item_id: ItemId,
    status: Annotated[FeedbackStatus | None, typer.Option(help="How far it is now.")] = None,
    priority: Annotated[FeedbackPriority | None, typer.Option(help="How soon it matters.")] = None,
    tenant: Tenant = None,
    json: Json = False,
) -> None:
    """Move an item to another status or priority."""
    command = ChangeFeedback(status, priority)
    _print_item(for_tenant(tenant, lambda omni, operator: omni.feedback.change(operator, item_id, command)), json=json)


@feedback.command("vote", epilog=examples(f"omni feedback vote {_EXAMPLE_ID} --person customer-42 --tenant demo"))
def cast_feedback_vote(item_id: ItemId, person: Person = None, tenant: Tenant = None, json: Json = False) -> None:
    """Vote for an item, once a person."""
    _print_item(for_tenant(tenant, lambda omni, operator: omni.feedback.vote(operator, item_id, person)), json=json)


@feedback.command(
    "withdraw", epilog=examples(f"omni feedback withdraw {_EXAMPLE_ID} --person customer-42 --tenant demo")
)
def withdraw_feedback_vote(item_id: ItemId, person: Person = None, tenant: Tenant = None, json: Json = False) -> None:
    """Take a person's vote back."""
    _print_item(for_tenant(tenant, lambda omni, operator: omni.feedback.withdraw(operator, item_id, person)), json=json)


@feedback.command("votes", epilog=examples(f"omni feedback votes {_EXAMPLE_ID} --tenant demo"))
def list_feedback_votes(
    item_id: ItemId, tenant: Tenant = None, limit: Limit = ROWS, cursor: Cursor = None, json: Json = False
) -> None:
    """List who voted for an item, last first."""
    page = for_tenant(tenant, lambda omni, operator: omni.feedback.votes(operator, item_id, PageRequest(limit, cursor)))
    print_rows(page.items, _VOTE, json=json, next_cursor=page.next_cursor)


@feedback.command("summary", epilog=examples("omni feedback summary --tenant demo", "omni feedback summary --json"))
def summary(tenant: Tenant = None, json: Json = False) -> None:
    """Count items and votes by category and status."""
    print_rows(list(for_tenant(tenant, lambda omni, operator: omni.feedback.summary(operator))), _TALLY, json=json)


def _print_item(item: Item, *, json: bool) -> None:
    print_record(item, _DETAILS, json=json)
