"""`omni events`."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import typer

from omni_cli.jsonform import as_json
from omni_cli.options import ROWS, Cursor, Json, Limit, Tenant, Where, commands, examples
from omni_cli.output import Column, print_json, print_record, print_rows, print_text
from omni_cli.session import for_tenant
from omni_core.domain.events.api import HeldView, Replay, SubscriptionState
from omni_core.domain.kernel.clock import parse_moment
from omni_core.domain.kernel.events import RecordedEvent
from omni_core.domain.kernel.pages import PageRequest

events = commands("What happened, and how reactions to it stand.")

_EVENT: list[Column[RecordedEvent]] = [
    Column("recorded", lambda event: event.recorded_at),
    Column("type", lambda event: event.event_type),
    Column("data", lambda event: _pairs(event.data), wraps=True),
    Column("id", lambda event: event.id),
]
_STATE: list[Column[SubscriptionState]] = [
    Column("subscription", lambda state: state.name),
    Column("handled", lambda state: state.handled, numeric=True),
    Column("waiting", lambda state: state.waiting, numeric=True),
    Column("retrying", lambda state: state.retrying, numeric=True),
    Column("set aside", lambda state: state.set_aside, numeric=True),
    Column("behind", lambda state: state.behind, numeric=True),
    Column("moved", lambda state: state.moved_at),
    Column("reacts to", lambda state: state.event_types if state.is_known else "of another release", wraps=True),
]
_HELD: list[Column[HeldView]] = [
    Column("subscription", lambda held: held.subscription),
    Column("event", lambda held: held.event_id),
    Column("type", lambda held: held.event_type),
    Column("status", lambda held: held.status),
    Column("attempts", lambda held: held.attempts, numeric=True),
    Column("again at", lambda held: held.retry_at),
    Column("error", lambda held: held.failure and f"{held.failure.code}: {held.failure.detail}", wraps=True),
]
_EXAMPLE = "jobs.cancel_for_revoked_key"
_EXAMPLE_ID = "01234567-89ab-7def-8123-456789abcdef"
EventId = Annotated[UUID, typer.Argument(metavar="EVENT", help="The event's id.")]
Name = Annotated[str, typer.Argument(metavar="SUBSCRIPTION", help="As omni events subscriptions shows it.")]


@events.command(
    "list",
    epilog=examples(
        "omni events list --tenant demo", "omni events list --tenant demo --where 'event_type starts_with tenancy.'"
    ),
)
def list_events(
    tenant: Tenant = None,
    where: Where = None,
    limit: Limit = ROWS,
    cursor: Cursor = None,
    json: Json = False,
) -> None:
    """List what happened in a tenant, oldest first."""
    page = for_tenant(tenant, lambda omni, operator: omni.events.list(operator, PageRequest(limit, cursor), where))
    print_rows(page.items, _EVENT, json=json, next_cursor=page.next_cursor)


@events.command("show", epilog=examples(f"omni events show {_EXAMPLE_ID} --tenant demo"))
def show_event(event_id: EventId, tenant: Tenant = None, json: Json = False) -> None:
    """Show an event."""
    print_record(for_tenant(tenant, lambda omni, operator: omni.events.get(operator, event_id)), _EVENT, json=json)


@events.command("subscriptions", epilog=examples("omni events subscriptions --tenant demo"))
def list_subscriptions(tenant: Tenant = None, json: Json = False) -> None:
    """Show how far each reaction is, and what it holds."""
    states = for_tenant(tenant, lambda omni, operator: omni.events.subscriptions(operator))
    print_rows(list(states), _STATE, json=json)


@events.command(
    "held", epilog=examples("omni events held --tenant demo", f"omni events held --subscription {_EXAMPLE}")
)
def list_held(
    tenant: Tenant = None,
    subscription: Annotated[str | None, typer.Option(metavar="SUBSCRIPTION", help="Of one subscription only.")] = None,
    limit: Limit = ROWS,
    cursor: Cursor = None,
    json: Json = False,
) -> None:
    """List the events that a reaction failed at, newest first."""
    page = for_tenant(
        tenant, lambda omni, operator: omni.events.held(operator, subscription, PageRequest(limit, cursor))
    )
    print_rows(page.items, _HELD, json=json, next_cursor=page.next_cursor)


@events.command("retry", epilog=examples(f"omni events retry {_EXAMPLE} {_EXAMPLE_ID} --tenant demo"))
def retry(name: Name, event_id: EventId, tenant: Tenant = None, json: Json = False) -> None:
    """Try a held event again at once, with all its attempts."""
    for_tenant(tenant, lambda omni, operator: omni.events.retry(operator, name, event_id))
    _done(f"{name} tries {event_id} again", {"subscription": name, "event_id": event_id}, json=json)


@events.command("skip", epilog=examples(f"omni events skip {_EXAMPLE} {_EXAMPLE_ID} --tenant demo"))
def skip(name: Name, event_id: EventId, tenant: Tenant = None, json: Json = False) -> None:
    """Give a held event up, and go on with what waits behind it."""
    for_tenant(tenant, lambda omni, operator: omni.events.skip(operator, name, event_id))
    _done(f"{name} passes over {event_id}", {"subscription": name, "event_id": event_id}, json=json)


@events.command(
    "replay",
    epilog=examples(
        f"omni events replay {_EXAMPLE} --tenant demo",
        f"omni events replay {_EXAMPLE} --tenant demo --since 2026-11-01",
        f"omni events replay {_EXAMPLE} --tenant demo --event {_EXAMPLE_ID}",
    ),
)
def replay(
    name: Name,
    since: Annotated[str | None, typer.Option(metavar="2026-11-01", help="Day or ISO 8601 time to begin at.")] = None,
    event: Annotated[UUID | None, typer.Option(metavar="EVENT", help="Id of the event to begin with.")] = None,
    tenant: Tenant = None,
    json: Json = False,
) -> None:
    """Have a reaction handle everything from a point on again.

    Where no point is given, it begins at the beginning.
    """
    moment: datetime | None = parse_moment(since, "--since") if since else None
    point = Replay(event, moment)
    for_tenant(tenant, lambda omni, operator: omni.events.replay(operator, name, point))
    _done(f"{name} begins again", {"subscription": name, "event_id": event, "since": moment}, json=json)


def _done(said: str, facts: dict[str, Any], *, json: bool) -> None:
    if json:
        print_json(facts)
    else:
        print_text(said)


def _pairs(values: dict[str, Any]) -> str:
    return " ".join(f"{name}={as_json(value)}" for name, value in values.items())
