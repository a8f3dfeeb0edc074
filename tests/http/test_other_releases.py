"""Rows of another release over HTTP: they are shown, and no listing fails because of them."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from omni_core import OPERATOR, CreateKey, CreateTenant, Omni, Scope, Settings
from omni_core.adapters.telemetry.metrics import Metrics
from omni_core.bootstrap.containers.root import Wiring
from omni_core.bootstrap.lifespan import open_wiring
from omni_core.domain.billing.api import InvoiceStatus
from omni_core.domain.budgets.api import Window
from omni_core.domain.jobs.api import JobProgress, JobStatus
from omni_core.domain.kernel.money import Money
from omni_core.domain.kernel.stored import rebuilds
from omni_core.domain.kernel.tenancy import PLATFORM, TenantId
from omni_core.domain.tenancy.api import MemberRole
from omni_core.testing.builders.budgets import a_budget
from omni_core.testing.builders.jobs import a_job
from omni_core.testing.builders.kernel import unheard_of
from omni_core.testing.builders.llm import a_model, a_provider
from omni_core.testing.builders.metering import a_call_of_another_release
from omni_core.testing.builders.pricing import a_price
from omni_core.testing.builders.tenancy import a_member, an_api_key
from omni_core.testing.contracts.billing.invoice_store import a_draft_of_another_release, save
from omni_http.app import create_app
from tests.support.asgi import client_of, lifespan_of


@rebuilds
def odd_rows(tenant_id: TenantId) -> dict[str, Any]:
    """Return a row of each kind that this release would not make."""
    return {
        "key": an_api_key(tenant_id, name="", scopes=frozenset({Scope.CHAT, unheard_of(Scope)})),
        "member": a_member(tenant_id, email="No Address", role=unheard_of(MemberRole)),
        "job": a_job(tenant_id, kind="No Kind", status=unheard_of(JobStatus), progress=JobProgress(3, 1)),
        "budget": a_budget(tenant_id, window=unheard_of(Window), limit=Money(1234, "XYZ")),
        "price": a_price(model="odd", currency="XYZ"),
        "provider": a_provider("odd", kind="telepathy", base_url="nowhere"),
        "model": a_model("odd", "odd", max_output_tokens=-1),
    }


async def put(wiring: Wiring, tenant_id: TenantId) -> None:
    """Store them, as another release might have."""
    uow, rows = wiring.part("platform").uow(), odd_rows(tenant_id)
    async with uow(tenant_id) as tx:
        await wiring.part("tenancy").key_store().add(tx, rows["key"])
        await wiring.part("tenancy").tenant_store().add_member(tx, rows["member"])
        await wiring.part("jobs").store().add(tx, rows["job"])
        await wiring.part("budgets").store().add(tx, rows["budget"])
    async with uow(PLATFORM) as tx:
        await wiring.part("pricing").store().add(tx, rows["price"])
        await wiring.part("llm").store().add_provider(tx, rows["provider"])
        await wiring.part("llm").store().add_model(tx, rows["model"])
    invoice = rebuilds(a_draft_of_another_release)(wiring.part("platform").ids(), unheard_of(InvoiceStatus))
    invoice.tenant_id = tenant_id
    await save(uow, wiring.part("billing").store(), invoice)
    await wiring.part("metering").log().append(rebuilds(a_call_of_another_release)(tenant_id))


@pytest.fixture(scope="module")
async def client() -> AsyncIterator[httpx.AsyncClient]:
    secrets = []

    @asynccontextmanager
    async def opener(settings: Settings, metrics: Metrics) -> AsyncGenerator[Omni, None]:
        async with open_wiring(
            settings, memory=True, upgrade=False, chat_models={}, decorate=metrics.instrument
        ) as wiring:
            omni = Omni(wiring, settings)
            await omni.add_built_in_model()
            tenant = await omni.tenants.create(OPERATOR, CreateTenant("demo", "Demo"))
            secrets.append((await omni.keys.create(omni.operator(tenant.id), CreateKey("all", tuple(Scope)))).secret)
            await put(wiring, tenant.id)
            yield omni

    app = create_app(Settings(), opener)
    async with lifespan_of(app), client_of(app, secrets[0]) as client:
        yield client


async def listed(client: httpx.AsyncClient, path: str) -> Any:
    answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_keys_are_listed_and_revoked(client):
    odd = (await listed(client, "/v1/keys"))["items"]
    (key,) = [one for one in odd if one["name"] == ""]
    assert key["scopes"] == ["chat", "unheard_of"]
    revoked = await client.delete(f"/v1/keys/{key['id']}")
    assert revoked.status_code in (200, 204), revoked.text


async def test_jobs_are_listed_shown_and_cancelled(client):
    (job,) = (await listed(client, "/v1/jobs"))["items"]
    assert (job["kind"], job["status"], job["progress"]["current"]) == ("No Kind", "unheard_of", 3)
    assert await listed(client, f"/v1/jobs/{job['id']}") == job
    assert (await client.post(f"/v1/jobs/{job['id']}/cancel")).json()["status"] == "cancelled"


async def test_members_are_listed(client):
    (member,) = await listed(client, "/v1/members")
    assert member["role"] == "unheard_of"


async def test_budgets_are_listed_without_what_nobody_knows_and_hold_all_the_same(client):
    (budget,) = await listed(client, "/v1/budgets")
    assert budget["limit"] == {"value": None, "currency": "XYZ", "minor": 1234}
    assert (budget["window"], budget["period_start"], budget["resets_at"]) == ("unheard_of", None, None)


async def test_a_call_under_such_a_budget_is_refused_by_its_name(client):
    (budget,) = await listed(client, "/v1/budgets")
    question = {"model": "omni-brain", "messages": [{"role": "user", "content": "Well?"}]}
    refused = await client.post("/v1/chat/completions", json=question)
    assert refused.status_code == 412
    told = refused.json()
    assert (told["code"], told["budget_id"], told["window"]) == ("budgets.unknown_window", budget["id"], "unheard_of")


async def test_invoices_are_listed_and_shown(client):
    (invoice,) = (await listed(client, "/v1/invoices"))["items"]
    assert (invoice["status"], invoice["total"]) == ("unheard_of", {"value": None, "currency": "XYZ", "minor": 7})
    (line,) = (await listed(client, f"/v1/invoices/{invoice['id']}"))["lines"]
    assert line["meter"] == "unheard_of"


async def test_prices_models_and_providers_are_listed(client):
    assert [one["currency"] for one in await listed(client, "/v1/prices") if one["model"] == "odd"] == ["XYZ"]
    assert "odd" in [one["id"] for one in (await listed(client, "/v1/models"))["data"]]
    assert [one["kind"] for one in await listed(client, "/v1/providers") if one["name"] == "odd"] == ["telepathy"]


async def test_usage_is_told(client):
    (event,) = (await listed(client, "/v1/usage/events?since=2020-01-01&until=2100-01-01"))["items"]
    assert (event["status"], event["cost"]["currency"]) == ("unheard_of", "XYZ")
