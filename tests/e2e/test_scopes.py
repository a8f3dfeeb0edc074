"""Every endpoint of the OpenAPI document wants a key, and a key with the scope that it names."""

import httpx
import pytest

from omni_core import CreateKey, Scope
from omni_core.domain.kernel.tenancy import NAMED_SCOPES, TENANT_SCOPES
from tests.support.endpoints import Endpoint, endpoints_of
from tests.support.installation import Customer, Installation, calling
from tests.support.program import Program
from tests.support.refusals import assert_problem


@pytest.fixture(scope="module")
async def endpoints(server: Program) -> list[Endpoint]:
    async with calling(server) as anybody:
        document = (await anybody.get("/api/openapi.json")).raise_for_status().json()
    return [endpoint for endpoint in endpoints_of(document) if not endpoint.is_public]


async def ask(client: httpx.AsyncClient, endpoint: Endpoint) -> httpx.Response:
    return await client.request(**endpoint.request({}))


async def test_what_is_private_is_what_is_versioned(endpoints: list[Endpoint]) -> None:
    assert len(endpoints) > 30
    assert [str(endpoint) for endpoint in endpoints if not endpoint.path.startswith("/v1/")] == []
    assert [str(endpoint) for endpoint in endpoints if endpoint.scope not in set(Scope)] == []


async def test_without_a_key_there_is_nothing(server: Program, endpoints: list[Endpoint]) -> None:
    async with calling(server) as nobody:
        for endpoint in endpoints:
            assert_problem(await ask(nobody, endpoint), 401, "tenancy.key_missing")


async def test_without_the_scope_there_is_nothing(
    server: Program, installation: Installation, customer: Customer, endpoints: list[Endpoint]
) -> None:
    async with calling(server) as client:
        for endpoint in endpoints:
            key = await installation.key(customer, *(TENANT_SCOPES - {Scope(endpoint.scope or "")}))
            client.headers["Authorization"] = f"Bearer {key}"
            problem = assert_problem(await ask(client, endpoint), 403, "kernel.missing_scope")
            assert (str(endpoint), problem["scope"]) == (str(endpoint), endpoint.scope)


async def test_the_scope_alone_is_enough(
    server: Program, installation: Installation, customer: Customer, endpoints: list[Endpoint]
) -> None:
    """Whatever else the answer is, such as that the record in question is not there."""
    keys = {scope: await installation.key(customer, Scope(scope)) for scope in {e.scope for e in endpoints} if scope}
    async with calling(server) as client:
        for endpoint in endpoints:
            client.headers["Authorization"] = f"Bearer {keys[endpoint.scope or '']}"
            answer = await ask(client, endpoint)
            granting = endpoint.scope == Scope.KEYS_WRITE and answer.status_code == 403
            code = answer.json()["code"] if answer.is_error else None
            assert not answer.is_server_error, f"{endpoint}: {answer.text}"
            # A key can be made, but none that may do more than its maker.
            assert code == "tenancy.scope_not_held" if granting else answer.status_code not in {401, 403}, str(endpoint)


async def test_nobody_grants_what_they_do_not_hold(
    server: Program, installation: Installation, customer: Customer
) -> None:
    maker = await installation.omni.keys.create(customer.principal, CreateKey("maker", ("keys:write", "chat")))
    async with calling(server, maker.secret) as client:
        for scopes in (["platform:admin"], ["chat", "billing:write"]):
            answer = await client.post("/v1/keys", json={"name": "more", "scopes": scopes})
            assert_problem(answer, 403, "tenancy.scope_not_held")
        made = (await client.post("/v1/keys", json={"name": "less"})).raise_for_status().json()
        same = (await client.post("/v1/keys", json={"name": "same", "scopes": ["all"]})).raise_for_status().json()
    assert (made["key"]["scopes"], same["key"]["scopes"]) == (["chat"], ["chat", "keys:write"])


async def test_what_moves_money_gives_access_or_erases_has_to_be_named(
    server: Program, customer: Customer, endpoints: list[Endpoint]
) -> None:
    async with calling(server, customer.key) as client:
        made = (await client.post("/v1/keys", json={"name": "in passing"})).raise_for_status().json()
        client.headers["Authorization"] = f"Bearer {made['secret']}"
        for endpoint in endpoints:
            refused = endpoint.scope in NAMED_SCOPES
            assert ((await ask(client, endpoint)).status_code == 403) == refused, str(endpoint)
