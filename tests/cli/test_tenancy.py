"""`omni tenants` and `omni keys`, on a database."""

import asyncio
from typing import Any

import pytest

from omni_core import Omni, Settings
from omni_core.domain.kernel.tenancy import NAMED_SCOPES, TENANT_SCOPES
from omni_core.domain.tenancy.errors import KeyExpired, KeyRejected, KeyRevoked
from tests.cli.conftest import MASTER_KEY, CommandLine


def admitted(omni: CommandLine, secret: str) -> str:
    """Return the id of the tenant that a key lets in, as a program that was handed the key would find."""

    async def authenticate() -> str:
        settings = Settings(database_url=omni.variables["DATABASE_URL"], secret_key=MASTER_KEY)
        async with Omni.open(settings) as opened:
            return str((await opened.authenticator.authenticate(secret)).tenant_id)

    return asyncio.run(authenticate())


def test_a_tenant_is_made_and_found(omni: CommandLine) -> None:
    made = omni.json("tenants", "create", "initech", "--name", "Initech")
    assert made == omni.json("tenants", "show", "initech") == omni.json("tenants", "show", made["id"])
    assert made in omni.json("tenants", "list", "--limit", "500")["items"]
    assert "Initech" in omni("tenants", "list", "--limit", "500").stdout


def test_listings_go_on_where_the_page_ended(omni: CommandLine) -> None:
    first = omni.json("tenants", "list", "--limit", "1")
    second = omni.json("tenants", "list", "--limit", "1", "--cursor", first["next_cursor"])
    assert [first["items"][0]["slug"], second["items"][0]["slug"]] == ["acme", "globex"]
    assert f"--cursor {first['next_cursor']}" in omni("tenants", "list", "--limit", "1").stderr


def test_a_second_tenant_of_that_slug_is_a_conflict(omni: CommandLine) -> None:
    assert omni.error("tenants", "create", "acme", exits=73)["code"] == "tenancy.tenant_exists"


def test_members_come_and_go_but_an_owner_stays(omni: CommandLine) -> None:
    omni("tenants", "create", "hooli", "--owner-email", "ann@hooli.example")
    omni("tenants", "add-member", "hooli", "Bob@hooli.example", "--role", "viewer")
    members = omni.json("tenants", "members", "hooli")["items"]
    assert [(one["email"], one["role"]) for one in members] == [
        ("ann@hooli.example", "owner"),
        ("bob@hooli.example", "viewer"),
    ]
    assert omni.json("tenants", "remove-member", "hooli", "bob@HOOLI.example")["email"] == "bob@hooli.example"
    omni.error("tenants", "remove-member", "hooli", "bob@hooli.example", exits=66)
    error = omni.error("tenants", "remove-member", "hooli", "ann@hooli.example", exits=73)
    assert error["code"] == "tenancy.last_owner"


def test_a_suspended_tenant_comes_back(omni: CommandLine, tenant: str) -> None:
    assert omni.json("tenants", "suspend", tenant)["status"] == "suspended"
    assert omni.json("tenants", "reactivate", tenant)["status"] == "active"


def test_the_secret_is_printed_once_and_lets_in(omni: CommandLine) -> None:
    made = omni.json("keys", "create", "--tenant", "acme", "--name", "ci")
    assert admitted(omni, made["secret"]) == omni.json("tenants", "show", "acme")["id"]
    hidden = made["secret"].rpartition("_")[2]
    for words in (["keys", "list", "-t", "acme"], ["keys", "revoke", made["id"], "-t", "acme"]):
        assert hidden not in omni(*words, "--json").output
        assert hidden not in omni(*words).output
    assert not any("digest" in one or "secret" in one for one in listed(omni))
    with pytest.raises(KeyRevoked):
        admitted(omni, made["secret"])


def test_people_see_the_secret_alone_in_its_line(omni: CommandLine) -> None:
    result = omni("keys", "create", "--tenant", "acme")
    (secret,) = [line for line in result.stdout.splitlines() if line.startswith("omni_sk_")]
    admitted(omni, secret)
    assert result.output.count(secret) == 1
    with pytest.raises(KeyRejected):
        admitted(omni, secret[:-1] + ("0" if secret[-1] != "0" else "1"))


def test_a_key_has_the_scopes_and_the_end_that_were_asked_for(omni: CommandLine) -> None:
    words = ["keys", "create", "-t", "acme", "--scope", "chat", "--scope", "models:read", "--expires-in", "1s"]
    made = omni.json(*words)
    assert made["scopes"] == ["chat", "models:read"]

    async def end() -> None:
        await asyncio.sleep(1.1)

    asyncio.run(end())
    with pytest.raises(KeyExpired):
        admitted(omni, made["secret"])
    dated = omni.json("keys", "create", "-t", "acme", "--expires-at", "2099-01-31")
    assert dated["expires_at"] == "2099-01-31T00:00:00Z"


def test_what_moves_money_gives_access_or_erases_is_asked_for_by_name(omni: CommandLine) -> None:
    words = ["keys", "create", "-t", "acme"]
    unasked, everything = set(omni.json(*words)["scopes"]), set(omni.json(*words, "--scope", "all")["scopes"])
    assert everything - unasked == {scope.value for scope in NAMED_SCOPES & TENANT_SCOPES}
    assert omni.json(*words, "--scope", "budgets:write")["scopes"] == ["budgets:write"]
    assert "the default" in omni(*words).stdout
    assert "all of the tenant" in omni(*words, "--scope", "all").stdout


def test_an_unknown_scope_names_the_known_ones(omni: CommandLine) -> None:
    error = omni.error("keys", "create", "-t", "acme", "--scope", "everything", exits=65)
    assert "chat" in error["fields"]["allowed"]


def test_another_tenants_key_is_not_found(omni: CommandLine) -> None:
    made = omni.json("keys", "create", "--tenant", "acme")
    assert omni.error("keys", "revoke", made["id"], "--tenant", "globex", exits=66)["code"] == "tenancy.unknown_key"
    admitted(omni, made["secret"])


def test_the_tenant_has_to_be_named_where_there_are_several(omni: CommandLine, tenant: str) -> None:
    error = omni.error("keys", "list", exits=65)
    assert error["code"] == "cli.tenant_not_named"
    assert {"acme", "globex"} <= set(error["fields"]["allowed"])
    assert omni.json("keys", "list", OMNI_TENANT=tenant)["items"] == []
    assert omni.error("keys", "list", "--tenant", "nobody", exits=66)["code"] == "tenancy.unknown_tenant"


def listed(omni: CommandLine) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = omni.json("keys", "list", "--tenant", "acme")["items"]
    return items
