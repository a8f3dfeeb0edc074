"""What a tenant's own key may not do, whatever scopes it has: change the operator's budgets, close running months."""

import itertools
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from omni_core import OPERATOR, CreateKey, CreateTenant, Month, TenantId
from tests.http.conftest import Running
from tests.support.asgi import client_of

_numbers = itertools.count(1)


@pytest.fixture
async def tenant_id(running: Running) -> TenantId:
    return (await running.omni.tenants.create(OPERATOR, CreateTenant(f"own-{next(_numbers)}", "Own"))).id


@pytest.fixture
async def tenants_own(running: Running, tenant_id: TenantId) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a new tenant, whose key may do everything that a tenant may."""
    made = await running.omni.keys.create(running.omni.operator(tenant_id), CreateKey("all", ("all",)))
    async with client_of(running.app, made.secret) as client:
        yield client


@pytest.fixture
async def operators(running: Running, tenant_id: TenantId) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the operator, who acts for that tenant."""
    async with client_of(running.app, running.key) as client:
        client.headers["Omni-Tenant"] = str(tenant_id)
        yield client


def refusal(answer: httpx.Response) -> tuple[int, Any]:
    return answer.status_code, answer.json()["code"]


async def test_the_operators_budget_stands(tenants_own: httpx.AsyncClient, operators: httpx.AsyncClient) -> None:
    made = (await operators.post("/v1/budgets", json={"window": "month", "limit": "1.00"})).raise_for_status().json()
    assert made["made_by"] == "operator"
    path = f"/v1/budgets/{made['id']}"
    forbidden = (403, "budgets.operators_budget")
    assert refusal(await tenants_own.patch(path, json={"limit": "1000000"})) == forbidden
    assert refusal(await tenants_own.delete(path)) == forbidden
    assert (await tenants_own.get("/v1/budgets")).json() == [made]
    own = (await tenants_own.post("/v1/budgets", json={"window": "day", "limit": "0.10"})).raise_for_status().json()
    assert own["made_by"] == "tenant"
    (await tenants_own.delete(f"/v1/budgets/{own['id']}")).raise_for_status()
    (await operators.delete(path)).raise_for_status()


async def test_a_running_month_stays_open(tenants_own: httpx.AsyncClient, operators: httpx.AsyncClient) -> None:
    running = {"month": str(Month.of(datetime.now(UTC)))}
    for client in (tenants_own, operators):
        assert refusal(await client.post("/v1/invoices", json=running)) == (412, "billing.month_runs")
    early = {**running, "early": True}
    assert refusal(await tenants_own.post("/v1/invoices", json=early)) == (403, "kernel.missing_scope")
    assert refusal(await operators.post("/v1/invoices", json=early)) == (412, "billing.nothing_to_bill")
    issued = (await operators.post("/v1/invoices", json={**early, "empty": True})).raise_for_status().json()
    assert (await tenants_own.post("/v1/invoices", json=running)).raise_for_status().json() == issued


async def test_a_month_before_the_tenant_is_refused(tenants_own: httpx.AsyncClient) -> None:
    before = (400, "billing.month_before_tenant")
    assert refusal(await tenants_own.post("/v1/invoices", json={"month": "2020-01", "empty": True})) == before
    assert refusal(await tenants_own.get("/v1/invoices/preview", params={"month": "2020-01"})) == before
