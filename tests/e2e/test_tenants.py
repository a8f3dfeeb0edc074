"""Two tenants over HTTP: no id of one, guessed or stolen, shows or changes anything of the other."""

import re
from collections.abc import AsyncIterator, Mapping
from typing import Any
from uuid import uuid4

import httpx
import pytest

from omni_core import Scope
from tests.support.endpoints import Endpoint, endpoints_of
from tests.support.installation import Customer, Installation, calling
from tests.support.program import Program
from tests.support.refusals import assert_problem
from tests.support.waiting import eventually

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


class Tenant:
    """A tenant that has something of everything, and what it can see of that."""

    def __init__(self, customer: Customer, client: httpx.AsyncClient, endpoints: list[Endpoint]) -> None:
        self.customer = customer
        self.client = client
        self._endpoints = endpoints
        self.ids: dict[str, str] = {"tenant_id": str(customer.id)}

    async def settle_in(self) -> None:
        """Make one of everything that a tenant can make, and learn the ids."""
        for endpoint in self._endpoints:
            if endpoint.examples and not endpoint.parameters and endpoint.scope != Scope.PLATFORM_ADMIN:
                (await self.client.request(**endpoint.request({}))).raise_for_status()
        for endpoint in self._endpoints:
            for name in endpoint.ids:
                if name not in self.ids:
                    self.ids[name] = await self._first_id(endpoint.collection)

    async def _first_id(self, collection: str) -> str:
        answer = (await self.client.get(collection)).raise_for_status().json()
        rows = answer if isinstance(answer, list) else answer["items"]
        first: str = rows[0]["id"]
        return first

    async def sights(self, ids: Mapping[str, str], **headers: str) -> dict[str, Any]:
        """Return the answer of every endpoint that only reads, with these ids in its path."""
        answers = {}
        for endpoint in self._endpoints:
            if endpoint.method == "GET" and endpoint.scope != Scope.PLATFORM_ADMIN:
                answer = await self.client.request(**endpoint.request(ids), headers=headers)
                answers[endpoint.path] = answer.json() if answer.is_success else answer.status_code
        return answers


@pytest.fixture(scope="module")
async def endpoints(server: Program) -> list[Endpoint]:
    async with calling(server) as anybody:
        document = (await anybody.get("/api/openapi.json")).raise_for_status().json()
    return [endpoint for endpoint in endpoints_of(document) if not endpoint.is_public]


async def _tenant(server: Program, installation: Installation, endpoints: list[Endpoint]) -> AsyncIterator[Tenant]:
    customer = await installation.customer()
    async with calling(server, customer.key) as client:
        tenant = Tenant(customer, client, endpoints)
        await tenant.settle_in()

        async def nothing_is_under_way() -> bool:
            budgets = (await client.get("/v1/budgets")).json()
            return all(budget["reserved"]["value"] == "0.00" for budget in budgets)

        await eventually(nothing_is_under_way)
        yield tenant


@pytest.fixture(scope="module")
async def owner(server: Program, installation: Installation, endpoints: list[Endpoint]) -> AsyncIterator[Tenant]:
    async for tenant in _tenant(server, installation, endpoints):
        yield tenant


@pytest.fixture(scope="module")
async def thief(server: Program, installation: Installation, endpoints: list[Endpoint]) -> AsyncIterator[Tenant]:
    async for tenant in _tenant(server, installation, endpoints):
        yield tenant


@pytest.fixture(scope="module")
async def secrets(owner: Tenant) -> set[str]:
    """Every id that the owner's own records have, which nobody else may ever see."""
    answers = await owner.sights(owner.ids)
    shared = {"/v1/models", "/v1/models/{name}", "/v1/prices"}
    owned = set(_ID.findall(str([answer for path, answer in answers.items() if path not in shared])))
    prices = set(_ID.findall(str(answers["/v1/prices"])))
    return owned - prices


def test_there_is_something_to_steal(owner: Tenant, endpoints: list[Endpoint], secrets: set[str]) -> None:
    assert {name for endpoint in endpoints for name in endpoint.ids} == owner.ids.keys()
    assert {"tenant_id", "key_id", "member_id", "budget_id", "invoice_id", "job_id"} <= owner.ids.keys()
    assert secrets >= set(owner.ids.values())


async def test_another_tenants_id_is_an_id_of_nothing(
    owner: Tenant, thief: Tenant, endpoints: list[Endpoint], secrets: set[str]
) -> None:
    before = await owner.sights(owner.ids)
    for endpoint in endpoints:
        if not endpoint.ids:
            continue
        stolen, guessed = [
            await thief.client.request(**endpoint.request(ids))
            for ids in (owner.ids, {name: str(uuid4()) for name in endpoint.ids})
        ]
        status = 403 if endpoint.scope == Scope.PLATFORM_ADMIN else 404
        assert (str(endpoint), stolen.status_code) == (str(endpoint), status)
        # The answer does not even tell that there is such a thing.
        problem = assert_problem(stolen, status, guessed.json()["code"])
        assert problem["kind"] == ("forbidden" if status == 403 else "not_found")
    assert await owner.sights(owner.ids) == before


async def test_listings_show_ones_own(owner: Tenant, thief: Tenant, secrets: set[str]) -> None:
    answers = await thief.sights(thief.ids)
    assert {path: answer for path, answer in answers.items() if isinstance(answer, int)} == {"/v1/models/{name}": 404}
    assert set(_ID.findall(str(answers))) & secrets == set()
    assert owner.customer.slug not in str(answers)


async def test_filters_by_another_tenants_id_find_nothing(owner: Tenant, thief: Tenant) -> None:
    query = {"since": "2020-01-01", "until": "2100-01-01", "key_id": owner.ids["key_id"]}
    events = (await thief.client.get("/v1/usage/events", params=query)).raise_for_status().json()
    sums = (await thief.client.get("/v1/usage", params=query)).raise_for_status().json()
    assert events == {"items": [], "next_cursor": None}
    assert [one["calls"] for one in sums] in ([], [0])


async def test_a_budget_is_for_ones_own_key(owner: Tenant, thief: Tenant) -> None:
    for key_id in (owner.ids["key_id"], str(uuid4())):
        body = {"window": "day", "limit": "0.00", "key_id": key_id}
        problem = assert_problem(await thief.client.post("/v1/budgets", json=body), 400, "budgets.invalid_budget")
        assert problem["field"] == "key_id"


async def test_a_page_cursor_of_another_tenant_is_of_no_use(owner: Tenant, thief: Tenant, secrets: set[str]) -> None:
    (await owner.client.post("/v1/keys", json={"name": "one more"})).raise_for_status()
    cursor = (await owner.client.get("/v1/keys", params={"limit": 1})).json()["next_cursor"]
    listed = (await thief.client.get("/v1/keys", params={"cursor": cursor})).raise_for_status()
    assert set(_ID.findall(listed.text)) & secrets == set()


async def test_the_tenant_header_is_the_operators_alone(
    owner: Tenant, thief: Tenant, endpoints: list[Endpoint], secrets: set[str]
) -> None:
    before = await owner.sights(owner.ids)
    for endpoint in endpoints:
        answer = await thief.client.request(
            **endpoint.request(owner.ids), headers={"Omni-Tenant": owner.ids["tenant_id"]}
        )
        assert_problem(answer, 403, "kernel.missing_scope")
    assert await owner.sights(owner.ids) == before


async def test_an_operator_sees_what_the_tenant_sees(
    server: Program, installation: Installation, owner: Tenant, endpoints: list[Endpoint]
) -> None:
    async with calling(server, await installation.operator_key(), **{"Omni-Tenant": owner.ids["tenant_id"]}) as client:
        operator = Tenant(owner.customer, client, endpoints)
        assert await operator.sights(owner.ids) == await owner.sights(owner.ids)
        answer = await client.get("/v1/tenant", headers={"Omni-Tenant": "not-an-id"})
    assert_problem(answer, 400, "kernel.invalid_value")
