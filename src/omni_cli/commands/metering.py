"""`omni usage`."""

from datetime import UTC, datetime, timedelta
from typing import Annotated
from uuid import UUID

import typer

from omni_cli.jsonform import as_json
from omni_cli.options import ROWS, Cursor, InvalidOption, Json, Limit, Tenant, commands, examples
from omni_cli.output import Column, print_json, print_record, print_rows
from omni_cli.session import for_tenant
from omni_core.domain.kernel.clock import Month, parse_moment
from omni_core.domain.kernel.ids import parse_id
from omni_core.domain.kernel.pages import PageRequest
from omni_core.domain.metering.api import Grouping, UsageEvent, UsageQuery, UsageSum

usage = commands("What a tenant used, and what it cost. Without a command: the summary of this month, by model.")
usage.info.no_args_is_help = False

_GROUPINGS: tuple[Grouping, ...] = ("model", "provider", "key", "day", "status")


_EVENT: list[Column[UsageEvent]] = [
    Column("at", lambda event: event.occurred_at),
    Column("model", lambda event: event.model),
    Column("status", lambda event: event.status),
    Column("input", lambda event: event.quantities.input_total, numeric=True),
    Column("output", lambda event: event.quantities.output_total, numeric=True),
    Column("cost", lambda event: event.cost, numeric=True),
    Column("estimated", lambda event: event.estimate_reason or ("yes" if event.estimated else None)),
    Column("ms", lambda event: event.latency_ms, numeric=True),
    Column("id", lambda event: event.id),
]

By = Annotated[
    list[str] | None,
    typer.Option("--by", metavar="|".join(_GROUPINGS), help="Group by this; repeat it to group by several."),
]
Since = Annotated[
    str | None, typer.Option(metavar="2026-11-01", help="Day or ISO 8601 time; the first of this month by default.")
]
Until = Annotated[
    str | None, typer.Option(metavar="2026-12-01", help="Day or ISO 8601 time, not included; by default everything.")
]
Model = Annotated[str | None, typer.Option(metavar="MODEL", help="Of one model only.")]
Key = Annotated[UUID | None, typer.Option("--key", metavar="KEY", help="Of one key only, by its id.")]
_SUMMARY_EXAMPLES = (
    "omni usage --tenant demo",
    "omni usage --tenant demo --by day --by model --since 2026-11-01 --until 2026-12-01",
    "omni usage events --tenant demo --limit 20",
)


@usage.callback(invoke_without_command=True, epilog=examples(*_SUMMARY_EXAMPLES))
def overview(
    context: typer.Context,
    tenant: Tenant = None,
    by: By = None,
    since: Since = None,
    until: Until = None,
    model: Model = None,
    key: Key = None,
    json: Json = False,
) -> None:
    """What a tenant used, and what it cost. Without a command: the summary of this month, by model."""
    if context.invoked_subcommand is None:
        summary(tenant=tenant, by=by, since=since, until=until, model=model, key=key, json=json)


@usage.command("summary", epilog=examples("omni usage summary --tenant demo --by model --json"))
def summary(
    tenant: Tenant = None,
    by: By = None,
    since: Since = None,
    until: Until = None,
    model: Model = None,
    key: Key = None,
    json: Json = False,
) -> None:
    """Add usage up, costliest first."""
    groupings = _parse_groupings(by or ["model"])
    query = _query(since, until, model, key)
    sums = for_tenant(tenant, lambda omni, operator: omni.metering.summary(operator, query, groupings))
    if json:
        shown = [as_json(one) for one in sums]
        print_json({"since": query.since, "until": query.until, "items": shown, "next_cursor": None})
    else:
        print_rows(sums, _columns(groupings), json=False)


@usage.command("events", epilog=examples("omni usage events --tenant demo --limit 20 --json"))
def events(
    tenant: Tenant = None,
    since: Since = None,
    until: Until = None,
    model: Model = None,
    key: Key = None,
    limit: Limit = ROWS,
    cursor: Cursor = None,
    json: Json = False,
) -> None:
    """List single calls, newest first."""
    query = _query(since, until, model, key)
    page = for_tenant(tenant, lambda omni, operator: omni.metering.events(operator, query, PageRequest(limit, cursor)))
    print_rows(page.items, _EVENT, json=json, next_cursor=page.next_cursor)


@usage.command("show", epilog=examples("omni usage show 0198a3c2-6f1e-7d40-9a51-2b7c61f0e9aa --tenant demo"))
def show(
    call: Annotated[str, typer.Argument(metavar="CALL", help="The call_id of an error, or the id of an answer.")],
    tenant: Tenant = None,
    json: Json = False,
) -> None:
    """Show what was charged for a call. One that is not on record is not charged."""
    call_id = parse_id(call.removeprefix("chatcmpl-"), "CALL")
    event = for_tenant(tenant, lambda omni, operator: omni.metering.event(operator, call_id))
    print_record(event, _EVENT, json=json)


def _query(since: str | None, until: str | None, model: str | None, key: UUID | None) -> UsageQuery:
    now = datetime.now(UTC)
    first = parse_moment(since, "--since") if since else Month.of(now).start
    # A call that ended just now may carry a time a moment ahead of this process's clock.
    last = parse_moment(until, "--until") if until else now + timedelta(minutes=5)
    return UsageQuery(first, last, model, key)


def _parse_groupings(texts: list[str]) -> list[Grouping]:
    known: dict[str, Grouping] = {str(grouping): grouping for grouping in _GROUPINGS}
    words = [word.strip() for text in texts for word in text.split(",")]
    for word in words:
        if word not in known:
            raise InvalidOption(f"--by {word!r} is not a grouping", field="--by", allowed=list(_GROUPINGS))
    return [known[word] for word in dict.fromkeys(words)]


def _columns(groupings: list[Grouping]) -> list[Column[UsageSum]]:
    return [
        *(_group_column(grouping) for grouping in groupings),
        Column("calls", lambda row: row.calls, numeric=True),
        Column("input", lambda row: row.quantities.input_total, numeric=True),
        Column("cached", lambda row: row.quantities.cached_input, numeric=True),
        Column("output", lambda row: row.quantities.output_total, numeric=True),
        Column("cost", lambda row: row.cost, numeric=True),
    ]


def _group_column(grouping: Grouping) -> Column[UsageSum]:
    return Column(grouping, lambda row: row.group.get(grouping))
