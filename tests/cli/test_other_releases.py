"""Rows of another release on the command line: they are shown, and can be put right."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from tests.cli.conftest import CommandLine
from tests.support.database import run_sql

ODD_ROWS = """
update api_key set name = '', scopes = array['chat', 'unheard_of'];
update job set kind = 'No Kind', status = 'unheard_of', progress = '{"current": 3, "total": 1}';
update budget set "window" = 'unheard_of', currency = 'XYZ', limit_picos = 1234;
update member set email = 'No Address', role = 'unheard_of' where role = 'member';
update invoice set status = 'unheard_of', currency = 'XYZ', total_minor = 7;
update tenant set name = '' where slug = 'globex';
"""


@pytest.fixture(scope="module")
async def own_url(make_database_url: Callable[[], Awaitable[str]]) -> str:
    """A database of this module's own: nobody else could live with such rows."""
    return await make_database_url()


@pytest.fixture(scope="module")
def odd(bare: CommandLine, own_url: str) -> CommandLine:
    """`omni` on a database with a row of each kind that this release would not make."""
    omni = CommandLine({**bare.variables, "DATABASE_URL": own_url})
    omni("db", "upgrade")
    omni("tenants", "create", "acme", "--owner-email", "ann@acme.example")
    omni("tenants", "create", "globex")
    omni("tenants", "add-member", "acme", "bob@acme.example", "--role", "member")
    omni("keys", "create", "--tenant", "acme")
    omni("budgets", "set", "--tenant", "acme", "--limit", "100")
    omni("billing", "close", "--tenant", "acme", "--month", "2026-01", "--background")
    asyncio.run(run_sql(own_url, DRAFT + ODD_ROWS))
    return omni


DRAFT = """
insert into invoice (tenant_id, id, month, currency, status, total_minor, created_at)
select tenant_id, gen_random_uuid(), '2026-02-01', 'USD', 'draft', 0, now() from tenant where slug = 'acme';
"""


@pytest.mark.parametrize(
    "words,shown",
    [
        (("keys", "list", "--tenant", "acme"), "unheard_of"),
        (("jobs", "list", "--tenant", "acme"), "unheard_of"),
        (("budgets", "list", "--tenant", "acme"), "1234 minor XYZ"),
        (("tenants", "members", "acme"), "No Address"),
        (("billing", "list", "--tenant", "acme"), "7 minor XYZ"),
        (
            (
                "tenants",
                "list",
            ),
            "globex",
        ),
    ],
    ids=lambda value: " ".join(value[:2]) if isinstance(value, tuple) else "",
)
def test_they_are_listed(odd: CommandLine, words: tuple[str, ...], shown: str) -> None:
    assert shown in odd(*words).stdout
    assert odd.json(*words)["items"]


def test_an_amount_in_a_currency_that_nobody_knows_is_left_out(odd: CommandLine) -> None:
    (invoice,) = odd.json("billing", "list", "--tenant", "acme")["items"]
    assert invoice["total"] == {"minor": 7, "currency": "XYZ", "amount": None}
    assert "7 minor XYZ" in odd("billing", "show", invoice["id"], "--tenant", "acme").stdout


def test_they_are_ended_and_removed(odd: CommandLine) -> None:
    (key,) = odd.json("keys", "list", "--tenant", "acme")["items"]
    assert odd.json("keys", "revoke", key["id"], "--tenant", "acme")["revoked_at"]
    (job,) = odd.json("jobs", "list", "--tenant", "acme")["items"]
    assert odd.json("jobs", "cancel", job["id"], "--tenant", "acme")["status"] == "cancelled"
    (budget,) = odd.json("budgets", "list", "--tenant", "acme")["items"]
    odd("budgets", "remove", budget["budget"]["id"], "--tenant", "acme")
    odd("tenants", "remove-member", "acme", "No Address")
    assert odd.json("budgets", "list", "--tenant", "acme")["items"] == []
