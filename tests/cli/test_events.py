"""`omni events`: the log by a condition, and how reactions to it stand."""

from uuid import uuid4

from tests.cli.conftest import CommandLine

NAME = "jobs.cancel_for_revoked_key"


def test_what_happened_is_listed_by_a_condition_and_shown(omni: CommandLine, tenant: str) -> None:
    omni("keys", "create", "--tenant", tenant)
    where = ("--where", "event_type = tenancy.api_key_created")
    (event,) = omni.json("events", "list", "--tenant", tenant, *where)["items"]
    assert event["data"]["scopes"]
    assert omni.json("events", "show", event["id"], "--tenant", tenant) == event
    assert len(omni.json("events", "list", "--tenant", tenant)["items"]) == 2
    error = omni.error("events", "list", "--tenant", tenant, "--where", "type = x", exits=65)
    assert "event_type" in error["fields"]["allowed"]


def test_reactions_are_shown_and_begin_again(omni: CommandLine, tenant: str) -> None:
    key = omni.json("keys", "create", "--tenant", tenant)
    omni("keys", "revoke", key["id"], "--tenant", tenant)
    (state,) = [one for one in omni.json("events", "subscriptions", "--tenant", tenant)["items"] if one["name"] == NAME]
    assert (state["is_known"], state["waiting"], state["handled"]) == (True, 1, 0)
    assert "tenancy.api_key_revoked" in omni("events", "subscriptions", "--tenant", tenant).stdout
    assert omni.json("events", "held", "--tenant", tenant)["items"] == []
    omni("events", "replay", NAME, "--tenant", tenant, "--since", "2026-01-01")
    (told,) = omni.json("events", "list", "--tenant", tenant, "--where", "data.subscription exists")["items"]
    assert (told["event_type"], told["data"]["by"]) == ("events.subscription_replayed", "operator")


def test_what_is_not_there_cannot_be_helped(omni: CommandLine, tenant: str) -> None:
    for verb in ("retry", "skip"):
        error = omni.error("events", verb, NAME, str(uuid4()), "--tenant", tenant, exits=73)
        assert error["code"] == "events.not_held"
    error = omni.error("events", "replay", "testing.nothing", "--tenant", tenant, exits=66)
    assert error["code"] == "events.unknown_subscription"
