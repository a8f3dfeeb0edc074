"""What a provider may take of time and connections, over HTTP and real sockets, with a fake provider behind it."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from omni_core import AddModel, CreateKey, CreateTenant, Omni, Principal, SetBudget, UsageQuery, Window
from omni_core.domain.kernel.clock import parse_moment
from omni_core.domain.kernel.tenancy import OPERATOR
from omni_core.testing.upstream import FAULTS, FakeUpstream, Script
from tests.http.conftest import Buggy, Running, running_with
from tests.support.asgi import client_of
from tests.support.waiting import eventually

EVER = UsageQuery(parse_moment("2020-01-01", "since"), parse_moment("2120-01-01", "until"))
# Of the dear ones only one call at once is affordable: a second one shows that nothing was set aside for the first.
CHEAP, DEAR = {"input": "1", "output": "1"}, {"input": "0", "output": "0", "request": "600"}
MODELS = {
    "good": CHEAP,
    "pause": CHEAP,
    "wait": CHEAP,
    "drip": CHEAP,
    "dear": DEAR,
    "dear-interim": DEAR,
}
TIMES = {"first_byte_timeout_s": 30, "read_timeout_s": 30, "total_timeout_s": 30}


@dataclass
class Tenant:
    """Somebody who calls, under a budget."""

    omni: Omni
    principal: Principal
    client: httpx.AsyncClient

    async def ask(self, model: str, text: str = "hi", **given: Any) -> httpx.Response:
        body = {"model": model, "messages": [{"role": "user", "content": text}], **given}
        return await self.client.post("/v1/chat/completions", json=body)

    async def has_nothing_reserved(self) -> bool:
        (status,) = await self.omni.budgets.list(self.principal)
        return status.spending.reserved_picos == 0

    async def statuses(self) -> list[str]:
        return [sum_.group["status"] for sum_ in await self.omni.metering.summary(self.principal, EVER, ["status"])]


@dataclass
class Rig:
    """An application of its own, its operator's client, the provider `few` and two tenants."""

    running: Running
    operator: httpx.AsyncClient
    upstream: FakeUpstream
    acme: Tenant
    globex: Tenant

    async def limit(self, **limits: Any) -> None:
        (await self.operator.patch("/v1/providers/few", json=limits)).raise_for_status()

    async def metric(self, name: str) -> float:
        text = (await self.operator.get("/metrics")).text
        lines = [line for line in text.splitlines() if line.startswith(f'{name}{{provider="few"}}')]
        return sum(float(line.rpartition(" ")[2]) for line in lines)  # of one line, or none before the first call

    async def under_way(self, calls: int, waiting: int) -> None:
        """Wait until so many calls are under way, and so many wait."""

        async def so_many() -> bool:
            load = (await self.metric("omni_llm_calls"), await self.metric("omni_llm_calls_waiting"))
            return load == (calls, waiting)

        await eventually(so_many)


async def tenant_of(running: Running, slug: str) -> Tenant:
    tenant = await running.omni.tenants.create(OPERATOR, CreateTenant(slug, slug.title()))
    principal = running.omni.operator(tenant.id)
    made = await running.omni.keys.create(principal, CreateKey("all", ("all",)))
    await running.omni.budgets.create(principal, SetBudget(Window.MONTH, "1000"))
    return Tenant(running.omni, principal, client_of(running.app, made.secret))


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    async with FakeUpstream() as upstream, running_with(chat_models={"buggy": Buggy}) as running:
        upstream.script("pause", Script(first_delay_s=0.02))
        upstream.script("wait", Script(first_delay_s=20))
        upstream.script("dear-interim", FAULTS["interim"])
        acme, globex = await tenant_of(running, "acme"), await tenant_of(running, "globex")
        async with client_of(running.app, running.key) as operator, acme.client, globex.client:
            body = {"name": "few", "kind": "openai", "base_url": upstream.url, "max_connections": 2, **TIMES}
            (await operator.post("/v1/providers", json=body)).raise_for_status()
            for model, prices in MODELS.items():
                await running.omni.catalogue.add_model(OPERATOR, AddModel(model, "few", prices))
            yield Rig(running, operator, upstream, acme, globex)


async def hold(rig: Rig, calls: int) -> list[asyncio.Task[httpx.Response]]:
    """Take up places, until the calls are cancelled."""
    held = [asyncio.create_task(rig.acme.ask("wait")) for _ in range(calls)]
    await rig.under_way(calls, 0)
    return held


async def cancelled(calls: list[asyncio.Task[httpx.Response]]) -> None:
    for call in calls:
        call.cancel()
    await asyncio.gather(*calls, return_exceptions=True)


async def test_limits_are_set_shown_and_reset(rig: Rig) -> None:
    given = {"total_timeout_s": 7.5, "max_waiting": 3, "reset": ["read_timeout_s"]}
    changed = (await rig.operator.patch("/v1/providers/few", json=given)).json()
    assert changed == {
        "name": "few",
        "kind": "openai",
        "base_url": rig.upstream.url,
        "has_key": False,
        "source": "database",
        "connect_timeout_s": 10.0,
        "first_byte_timeout_s": 30.0,
        "read_timeout_s": 120.0,
        "total_timeout_s": 7.5,
        "max_connections": 2,
        "connection_wait_s": 10.0,
        "max_waiting": 3,
        "passes": [],
    }
    listed = (await rig.operator.get("/v1/providers")).json()
    assert changed in listed


@pytest.mark.parametrize(
    "given",
    [
        {"max_connections": 0},
        {"max_connections": 1.5},
        {"max_connections": 100_001},
        {"connect_timeout_s": 61},
        {"first_byte_timeout_s": 0},
        {"read_timeout_s": -1},
        {"total_timeout_s": 86_401},
        {"connection_wait_s": "10"},
        {"max_waiting": -1},
        {"reset": ["base_url"]},
        {"base_url": "http://elsewhere"},
    ],
    ids=str,
)
async def test_what_is_no_limit_is_refused_by_name(rig: Rig, given: dict[str, Any]) -> None:
    (field,) = given
    refused = await rig.operator.patch("/v1/providers/few", json=given)
    assert refused.status_code == 400
    assert refused.json()["field"].startswith(field)


async def test_a_provider_that_is_not_in_the_catalogue_has_no_limits_to_change(rig: Rig) -> None:
    for name in ("nobody", "buggy", "omni"):
        refused = await rig.operator.patch(f"/v1/providers/{name}", json={"max_connections": 2})
        assert (refused.status_code, refused.json()["code"]) == (404, "llm.unknown_provider")


async def test_a_tenants_key_neither_adds_nor_changes_nor_removes_a_provider(rig: Rig) -> None:
    """Where Omni connects to is the operator's to say alone: no scope that a tenant's key can have says it."""
    body = {"name": "mine", "kind": "openai", "base_url": "http://169.254.169.254/latest"}
    tries = [
        await rig.acme.client.post("/v1/providers", json=body),
        await rig.acme.client.get("/v1/providers"),
        await rig.acme.client.patch("/v1/providers/few", json={"max_connections": 1000}),
        await rig.acme.client.delete("/v1/providers/few"),
        await rig.acme.client.post("/v1/models", json={"name": "m", "provider": "few", "prices": {}}),
    ]
    assert [(one.status_code, one.json()["code"]) for one in tries] == [(403, "kernel.missing_scope")] * len(tries)
    made = await rig.acme.client.post("/v1/keys", json={"name": "more", "scopes": ["platform:admin"]})
    assert made.status_code == 403


async def test_a_stream_that_comes_to_nothing_ends_honestly_and_is_paid_for_what_came(rig: Rig) -> None:
    await rig.limit(total_timeout_s=0.3)
    answer = await rig.acme.ask("drip", stream=True, max_tokens=50)
    assert answer.status_code == 200
    *pieces, last = [json.loads(line[6:]) for line in answer.text.splitlines() if line.startswith("data: {")]
    assert pieces[1]["choices"][0]["delta"]["content"]
    assert "[DONE]" not in answer.text
    error = last["error"]
    assert (error["code"], error["provider"], error["limit"]) == ("llm.provider_timeout", "few", "total_timeout_s")
    assert error["limit_s"] == 0.3
    assert await rig.acme.statuses() == ["failed"]
    await eventually(rig.acme.has_nothing_reserved)
    assert await rig.metric("omni_llm_calls") == 0


async def test_an_interim_response_holds_no_call_and_no_money(rig: Rig) -> None:
    await rig.limit(first_byte_timeout_s=0.1)
    for stream in (False, True):
        refused = await rig.acme.ask("dear-interim", stream=stream)
        problem = refused.json()
        assert (refused.status_code, problem["code"]) == (503, "llm.provider_timeout")
        assert (problem["provider"], problem["limit"], problem["limit_s"]) == ("few", "first_byte_timeout_s", 0.1)
    assert await rig.acme.statuses() == []


async def test_no_more_calls_are_under_way_than_the_limit(rig: Rig) -> None:
    answers = await asyncio.gather(*(rig.acme.ask("pause", stream=number % 2 == 0) for number in range(12)))
    assert {answer.status_code for answer in answers} == {200}
    assert rig.upstream.connections <= 2
    assert len(rig.upstream.calls) == 12


async def test_one_call_of_another_tenant_is_not_kept_behind_many(rig: Rig) -> None:
    held = await hold(rig, calls=2)
    many = [asyncio.create_task(rig.acme.ask("good", "acme")) for _ in range(20)]
    await rig.under_way(2, 20)
    one = asyncio.create_task(rig.globex.ask("good", "globex"))
    await rig.under_way(2, 21)
    await cancelled(held)
    answers = await asyncio.gather(one, *many)
    assert {answer.status_code for answer in answers} == {200}
    order = ["globex" if b"globex" in call.body else "acme" for call in rig.upstream.calls[2:]]
    assert order.index("globex") == 1  # one of acme's was next, and then it was globex's turn
    await rig.under_way(0, 0)


async def test_a_refusal_blames_omnis_own_limit_and_is_counted(rig: Rig) -> None:
    await rig.limit(connection_wait_s=0.05)
    held = await hold(rig, calls=2)
    for stream in (False, True):
        refused = await rig.globex.ask("dear", stream=stream)
        problem = refused.json()
        assert (refused.status_code, problem["code"], problem["kind"]) == (429, "llm.provider_busy", "quota")
        assert problem["detail"].startswith("Omni calls provider 'few' over 2 connections at once; all are in use")
        assert problem["error"]["type"] == "rate_limit_error"
        assert refused.headers["retry-after"] == "1"
        assert "x-should-retry" not in refused.headers
    assert await rig.metric("omni_llm_calls_refused_total") == 2
    assert await rig.globex.statuses() == []
    await rig.limit(max_connections=3)
    assert (await rig.globex.ask("dear")).status_code == 200
    await cancelled(held)


async def test_a_caller_who_leaves_the_queue_leaves_no_place_taken(rig: Rig) -> None:
    await rig.limit(max_connections=1)
    held = await hold(rig, calls=1)
    waiting = [asyncio.create_task(rig.globex.ask("dear")), *(asyncio.create_task(rig.acme.ask("good")) for _ in "abc")]
    await rig.under_way(1, 4)
    await cancelled([*held, *waiting])
    await rig.under_way(0, 0)
    assert (await rig.globex.ask("dear")).status_code == 200
