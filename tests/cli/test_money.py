"""`omni usage`, `prices`, `budgets`, `billing` and `jobs`: from a call to its invoice, on a database."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from omni_core.domain.kernel.clock import Month
from tests.cli.conftest import CommandLine

MONTH = str(Month.of(datetime.now(UTC)))
QUESTION = "The pool opens at nine. A ticket costs four pounds. How much does a ticket cost?"


@pytest.fixture(scope="module")
def payer(make_tenant: Callable[[], str]) -> str:
    """The tenant whose calls are paid for."""
    return make_tenant()


@pytest.fixture(scope="module")
def other(make_tenant: Callable[[], str]) -> str:
    """A tenant that makes no call."""
    return make_tenant()


@pytest.fixture(scope="module")
def used(omni: CommandLine, payer: str) -> dict[str, Any]:
    """Three calls on the payer's account; the usage of one of them."""
    usage: dict[str, Any] = {}
    for _ in range(3):
        usage = omni.json("chat", "--tenant", payer, QUESTION)["usage"]
    return usage


def test_usage_is_added_up(omni: CommandLine, used: dict[str, Any], payer: str) -> None:
    (row,) = omni.json("usage", "--tenant", payer)["items"]
    assert row["group"] == {"model": "omni-brain"}
    assert row["calls"] == 3
    assert row["quantities"]["input"] == 3 * used["input_tokens"]
    assert row["quantities"]["output"] == 3 * used["output_tokens"]
    assert row["cost_picos"] == int(Decimal(row["cost"]).scaleb(12)) > 0
    assert omni.json("usage", "summary", "--tenant", payer)["items"] == [row]
    assert row["cost"] in omni("usage", "--tenant", payer).stdout


def test_what_became_of_a_call_is_told(omni: CommandLine, tenant: str) -> None:
    answer = omni.json("chat", "--tenant", tenant, QUESTION)
    shown = omni.json("usage", "show", f"chatcmpl-{answer['id'].replace('-', '')}", "--tenant", tenant)
    assert (shown["id"], shown["model"], shown["status"]) == (answer["id"], "omni-brain", "completed")
    assert "omni-brain" in omni("usage", "show", answer["id"], "--tenant", tenant).stdout
    unknown = "00000000-0000-7000-8000-000000000000"
    assert omni.error("usage", "show", unknown, "--tenant", tenant, exits=66)["code"] == "metering.unknown_call"
    assert omni.error("usage", "show", "x", "--tenant", tenant, exits=65)["code"] == "kernel.invalid_value"


def test_usage_is_grouped_and_limited(omni: CommandLine, used: dict[str, Any], payer: str, other: str) -> None:
    (row,) = omni.json("usage", "--tenant", payer, "--by", "day,status", "--by", "provider")["items"]
    assert row["group"].keys() == {"day", "status", "provider"}
    assert omni.json("usage", "--tenant", payer, "--model", "other")["items"] == []
    assert omni.json("usage", "--tenant", payer, "--until", f"{MONTH}-01", "--since", "2020-01-01")["items"] == []
    assert omni.json("usage", "--tenant", other)["items"] == []


def test_calls_are_listed_newest_first(omni: CommandLine, used: dict[str, Any], payer: str) -> None:
    page = omni.json("usage", "events", "--tenant", payer, "--limit", "2")
    times = [one["occurred_at"] for one in page["items"]]
    assert times == sorted(times, reverse=True)
    rest = omni.json("usage", "events", "--tenant", payer, "--cursor", page["next_cursor"])
    assert (len(times), len(rest["items"]), rest["next_cursor"]) == (2, 1, None)
    assert page["items"][0]["currency"] == "USD"
    assert "completed" in omni("usage", "events", "--tenant", payer).stdout


def test_a_budget_is_made_changed_and_removed(omni: CommandLine, other: str) -> None:
    made = omni.json("budgets", "set", "--tenant", other, "--limit", "10")
    changed = omni.json("budgets", "set", "--tenant", other, "--limit", "12.50")
    assert made["budget"]["id"] == changed["budget"]["id"]
    assert changed["budget"]["limit"] == {"minor": 1250, "currency": "USD", "amount": "12.50"}
    assert changed["remaining"] == "12.50"
    daily = omni.json("budgets", "set", "--tenant", other, "--limit", "1", "--window", "day")
    assert omni.json("budgets", "list", "--tenant", other)["items"] == [changed, daily]
    assert "12.50 USD" in omni("budgets", "list", "--tenant", other).stdout
    omni("budgets", "remove", daily["budget"]["id"], "--tenant", other)
    assert omni.error("budgets", "remove", daily["budget"]["id"], "--tenant", other, exits=66)
    assert omni.error("budgets", "set", "--tenant", other, "--limit", "0.001", exits=65)


def test_a_budget_that_is_used_up_is_75(omni: CommandLine) -> None:
    omni("tenants", "create", "poor")
    omni("budgets", "set", "--tenant", "poor", "--limit", "0")
    error = omni.error("chat", "--tenant", "poor", QUESTION, exits=75)
    assert error["code"] == "budgets.exhausted"
    assert omni.json("usage", "--tenant", "poor")["items"] == []


def test_prices_are_set_and_listed(omni: CommandLine) -> None:
    words = ["prices", "set", "omni-brain", "--price", "input=0.20,output=0.80", "--from", "2099-01-01"]
    price = omni.json(*words)
    assert price["effective_from"] == "2099-01-01T00:00:00Z"
    assert price["tiers"][0]["prices"]["cached_input"] == "0.2"
    assert price in omni.json("prices", "list", "--model", "omni-brain")["items"]
    assert "input=0.2 " in omni("prices", "list").stdout
    assert omni.error(*words, exits=73)["code"] == "pricing.price_exists"
    assert omni.error("prices", "set", "omni-brain", "--price", "input=1", exits=65)["code"] == "pricing.invalid_price"


def test_a_price_may_have_twelve_decimal_places(omni: CommandLine) -> None:
    words = ["prices", "set", "fine", "--from", "2099-01-01", "--price"]
    price = omni.json(*words, "input=0.150000000001,output=0.6")
    assert price["tiers"][0]["prices"]["input"] == "0.150000000001"
    assert price in omni.json("prices", "list", "--model", "fine")["items"]
    assert "input=0.150000000001 " in omni("prices", "list", "--model", "fine").stdout
    error = omni.error(*words, "input=0.1500000000001,output=0.6", exits=65)
    assert "prices.input must have no more than 12 decimal places" in error["detail"]


def test_a_month_is_previewed_closed_and_shown(omni: CommandLine, used: dict[str, Any], payer: str, other: str) -> None:
    exact = omni.json("usage", "--tenant", payer)["items"][0]["cost_picos"]
    preview = omni.json("billing", "preview", "--tenant", payer, "--month", MONTH)
    assert (preview["status"], preview["number"]) == ("draft", None)
    assert omni.json("billing", "list", "--tenant", payer)["items"] == []
    closed = omni.json("billing", "close", "--tenant", payer, "--month", MONTH, "--early")
    assert (closed["status"], closed["number"], closed["month"]) == ("finalized", "INV-000001", MONTH)
    assert sum(line["exact_picos"] for line in closed["lines"]) == exact
    assert closed["total"]["minor"] == sum(line["amount"]["minor"] for line in closed["lines"])
    assert omni.json("billing", "close", "--tenant", payer, "--month", MONTH) == closed
    assert omni.json("billing", "show", closed["id"], "--tenant", payer) == closed
    assert omni.json("billing", "show", "INV-000001", "--tenant", payer) == closed
    assert omni.error("billing", "show", "INV-000099", "--tenant", payer, exits=66)["code"] == "billing.unknown_invoice"
    assert (
        omni.error("billing", "show", "the first one", "--tenant", payer, exits=65)["fields"]["field"] == "invoice_id"
    )
    (listed,) = omni.json("billing", "list", "--tenant", payer)["items"]
    assert listed["total"] == closed["total"]
    told = omni("billing", "show", closed["id"], "--tenant", payer).stdout
    assert "INV-000001" in told
    assert f"total  {closed['total']['amount']} USD" in told
    assert omni.error("billing", "show", closed["id"], "--tenant", other, exits=66)


def test_a_month_that_has_not_begun_cannot_be_closed(omni: CommandLine, payer: str) -> None:
    error = omni.error("billing", "close", "--tenant", payer, "--month", "2099-01", exits=65)
    assert error["code"] == "billing.month_not_begun"


def test_a_month_that_still_runs_is_closed_only_early_and_whoever_does_is_told(omni: CommandLine) -> None:
    omni("tenants", "create", "early")
    this = Month.of(datetime.now(UTC))
    words = ["billing", "close", "--tenant", "early", "--month", str(this), "--empty"]
    assert omni.error(*words, exits=72)["code"] == "billing.month_runs"
    assert f"goes to the invoice of {this.next()}" in omni(*words, "--early").stderr
    assert omni(*words, "--json").stderr == ""


def test_a_month_without_usage_has_no_invoice(omni: CommandLine) -> None:
    omni("tenants", "create", "idle")
    words = ["billing", "close", "--tenant", "idle", "--month", MONTH, "--early"]
    assert omni.error(*words, exits=72)["code"] == "billing.nothing_to_bill"
    assert omni.json("billing", "list", "--tenant", "idle")["items"] == []
    assert omni.json(*words, "--empty")["lines"] == []
    for command in ("close", "preview"):
        before = omni.error("billing", command, "--tenant", "idle", "--month", "2020-01", exits=65)
        assert before["code"] == "billing.month_before_tenant"


def test_a_month_is_closed_in_the_background_once(omni: CommandLine, payer: str, other: str) -> None:
    words = ["billing", "close", "--tenant", other, "--month", MONTH, "--background"]
    queued = omni.json(*words, "--early")
    arguments = {"month": MONTH, "early": True}
    assert (queued["kind"], queued["status"], queued["arguments"]) == ("billing.close", "queued", arguments)
    words.append("--early")
    assert omni.json(*words)["id"] == queued["id"]
    assert [one["id"] for one in omni.json("jobs", "list", "--tenant", other)["items"]] == [queued["id"]]
    assert omni.json("jobs", "list", "--tenant", other, "--status", "failed")["items"] == []
    assert omni.json("jobs", "show", queued["id"], "--tenant", other) == queued
    assert omni.error("jobs", "show", queued["id"], "--tenant", payer, exits=66)["code"] == "jobs.unknown_job"
    assert omni.error("jobs", "retry", queued["id"], "--tenant", other, exits=73)["code"] == "jobs.wrong_status"
    assert omni.json("jobs", "cancel", queued["id"], "--tenant", other)["status"] == "cancelled"
    assert omni.json("jobs", "retry", queued["id"], "--tenant", other)["status"] == "queued"
    assert "billing.close" in omni("jobs", "list", "--tenant", other).stdout
