"""Two tenants over HTTP: no id of one, guessed or stolen, shows or changes anything of the other."""

import re
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx
import pytest

from omni_core import Month
from tests.support.endpoints import Endpoint, endpoints_of
from tests.support.installation import Customer, Installation, calling
from tests.support.program import Program
from tests.support.refusals import assert_problem
from tests.support.settling import collection_of, settling, thefts
from tests.support.waiting import eventually

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
TENANT = "/v1/tenants/{tenant_id}"
KEY = "/v1/keys/{key_id}"
# Made by the operator instead: a new tenant has no month that it may close by itself.
OPERATORS = {"POST /v1/invoices"}


class Tenant:
    """A tenant that has something of everything, and what it can see of that."""

    def __init__(self, customer: Customer, client: httpx.AsyncClient, endpoints: list[Endpoint]) -> None:
        self.customer = customer
        self.client = client
        self._endpoints = endpoints
        self.ids: dict[str, str] = {TENANT: str(customer.id)}

    async def settle_in(self) -> None:
        """Make one of everything that a tenant can make, and learn the ids, each by its place in a path."""
        for step in settling(self._endpoints):
            if str(step) in OPERATORS:
                continue
            answer = (await self.client.request(**step.endpoint.request(self.ids))).raise_for_status()
            if step.place is not None:
                self.ids[step.place] = step.first_of(answer.json())

    async def sights(self, ids: Mapping[str, str], **headers: str) -> dict[str, Any]:
        """Return the answer of every endpoint that only reads, with these ids in its path."""
        answers = {}
        for endpoint in self._endpoints:
            if endpoint.method == "GET" and not endpoint.is_operators:
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
        this_month = Month.of(datetime.now(UTC))
        await installation.omni.billing.close(customer.principal, this_month, early=True, empty=True)
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
    places = {place for endpoint in endpoints for place in endpoint.ids}
    operators = {endpoint.path for endpoint in endpoints if endpoint.method == "GET" and endpoint.is_operators}
    own = {place for endpoint in endpoints if not endpoint.is_operators for place in endpoint.ids}
    assert {place for place in own - owner.ids.keys() if collection_of(place) not in operators} == set()
    assert {TENANT, KEY, "/v1/budgets/{budget_id}", "/v1/invoices/{invoice_id}", "/v1/jobs/{job_id}"} <= places
    assert secrets >= {owner.ids[place] for place in places & owner.ids.keys()}


async def test_another_tenants_id_is_an_id_of_nothing(
    owner: Tenant, thief: Tenant, endpoints: list[Endpoint], secrets: set[str]
) -> None:
    before = await owner.sights(owner.ids)
    for endpoint in endpoints:
        for ids in thefts(endpoint, owner.ids, thief.ids):
            stolen, guessed = [await thief.client.request(**endpoint.request(values)) for values in ids]
            status = 403 if endpoint.is_operators else 404
            assert (str(endpoint), stolen.status_code) == (str(endpoint), status)
            # The answer does not even tell that there is such a thing.
            problem = assert_problem(stolen, status, guessed.json()["code"])
            assert problem["kind"] == ("forbidden" if status == 403 else "not_found")
    assert await owner.sights(owner.ids) == before


async def test_listings_show_ones_own(
    owner: Tenant, thief: Tenant, endpoints: list[Endpoint], secrets: set[str]
) -> None:
    answers = await thief.sights(thief.ids)
    unnamed = {endpoint.path for endpoint in endpoints if not thief.ids.keys() >= set(endpoint.places)}
    assert {path: answer for path, answer in answers.items() if isinstance(answer, int)} == dict.fromkeys(
        unnamed & answers.keys(), 404
    )
    assert set(_ID.findall(str(answers))) & secrets == set()
    assert owner.customer.slug not in str(answers)


async def test_filters_by_another_tenants_id_find_nothing(owner: Tenant, thief: Tenant) -> None:
    query = {"since": "2020-01-01", "until": "2100-01-01", "key_id": owner.ids[KEY]}
    events = (await thief.client.get("/v1/usage/events", params=query)).raise_for_status().json()
    sums = (await thief.client.get("/v1/usage", params=query)).raise_for_status().json()
    assert events == {"items": [], "next_cursor": None}
    assert [one["calls"] for one in sums] in ([], [0])


async def test_a_budget_is_for_ones_own_key(owner: Tenant, thief: Tenant) -> None:
    for key_id in (owner.ids[KEY], str(uuid4())):
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
        answer = await thief.client.request(**endpoint.request(owner.ids), headers={"Omni-Tenant": owner.ids[TENANT]})
        assert_problem(answer, 403, "kernel.missing_scope")
    assert await owner.sights(owner.ids) == before


async def test_an_operator_sees_what_the_tenant_sees(
    server: Program, installation: Installation, owner: Tenant, endpoints: list[Endpoint]
) -> None:
    async with calling(server, await installation.operator_key(), **{"Omni-Tenant": owner.ids[TENANT]}) as client:
        operator = Tenant(owner.customer, client, endpoints)
        assert await operator.sights(owner.ids) == await owner.sights(owner.ids)
        answer = await client.get("/v1/tenant", headers={"Omni-Tenant": "not-an-id"})
    assert_problem(answer, 400, "kernel.invalid_value")
