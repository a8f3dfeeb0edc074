"""What only the HTTP layer does of events: conditions in the query, what is held, and who may help it along."""

from collections.abc import AsyncIterator
from uuid import uuid4

import httpx
import pytest

from omni_core import CreateKey, Omni, Principal, events
from omni_core.domain.kernel.events import RecordedEvent
from omni_core.domain.kernel.uow import Transaction
from tests.http.conftest import Running, running_with
from tests.support.asgi import client_of

NAME = "testing.stumble"
CREATE = CreateKey("everything of a tenant", ("all",))


class Stumble:
    """Fails at everything until it is told to go on."""

    def __init__(self) -> None:
        self.fails = True
        self.handled: list[str] = []

    async def handle(self, _: Transaction, event: RecordedEvent) -> None:
        if self.fails:
            raise LookupError("nobody is told this")
        self.handled.append(str(event.id))

    @property
    def subscription(self) -> events.Subscription:
        return events.Subscription(NAME, frozenset({"tenancy.api_key_created"}), self.handle)


@pytest.fixture
async def stumble() -> Stumble:
    return Stumble()


@pytest.fixture
async def running(stumble: Stumble) -> AsyncIterator[Running]:
    """An application of this test's own."""
    async with running_with(subscriptions=[stumble.subscription]) as running:
        yield running


@pytest.fixture
async def client(running: Running) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(running.app, running.key) as client:
        yield client


async def react(omni: Omni) -> None:
    """Let subscriptions do what they can; nothing is tried twice."""
    await omni.run_pending_events(worth_retrying=lambda _: False)


async def test_the_log_is_listed_by_a_condition_and_shown(client: httpx.AsyncClient) -> None:
    everything = (await client.get("/v1/events")).raise_for_status().json()["items"]
    assert [event["event_type"] for event in everything] == ["tenancy.tenant_created", "tenancy.api_key_created"]
    assert everything[0]["data"]["slug"] == "demo"
    where = "event_type ends_with created and data.slug = demo"
    wanted = (await client.get("/v1/events", params={"where": where})).raise_for_status().json()["items"]
    assert wanted == everything[:1]
    assert (await client.get(f"/v1/events/{wanted[0]['id']}")).json() == wanted[0]
    refused = await client.get("/v1/events", params={"where": "tenant_id exists"})
    assert (refused.status_code, refused.json()["code"]) == (400, "kernel.invalid_condition")
    assert "data.…" in refused.json()["allowed"]
    unknown = await client.get(f"/v1/events/{uuid4()}")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "events.unknown_event")


async def test_what_is_held_is_shown_without_its_secrets_and_retried(
    client: httpx.AsyncClient, running: Running, stumble: Stumble
) -> None:
    await react(running.omni)
    held = (await client.get("/v1/events/held", params={"subscription": NAME})).raise_for_status()
    (one,) = held.json()["items"]
    assert (one["status"], one["attempts"], one["code"]) == ("set_aside", 1, "internal")
    assert "nobody is told this" not in held.text
    states = {state["name"]: state for state in (await client.get("/v1/events/subscriptions")).json()}
    assert states.keys() == {NAME, "jobs.cancel_for_revoked_key"}
    assert (states[NAME]["set_aside"], states[NAME]["handled"]) == (1, 0)
    (told,) = (await client.get("/v1/events", params={"where": "event_type = events.event_set_aside"})).json()["items"]
    assert told["data"] == {
        "event_id": one["event_id"],
        "failed_type": "tenancy.api_key_created",
        "subscription": NAME,
        "code": "internal",
    }

    stumble.fails = False
    url = f"/v1/events/subscriptions/{NAME}/held/{one['event_id']}"
    assert (await client.post(f"{url}/retry")).status_code == 204
    await react(running.omni)
    assert stumble.handled == [one["event_id"]]
    assert (await client.get("/v1/events/held")).json() == {"items": [], "next_cursor": None}
    again = await client.post(f"{url}/retry")
    assert (again.status_code, again.json()["code"]) == (409, "events.not_held")


async def test_what_is_held_is_skipped_and_everything_replayed(
    client: httpx.AsyncClient, running: Running, stumble: Stumble
) -> None:
    await react(running.omni)
    (one,) = (await client.get("/v1/events/held")).json()["items"]
    stumble.fails = False
    url = f"/v1/events/subscriptions/{NAME}"
    assert (await client.post(f"{url}/held/{one['event_id']}/skip")).status_code == 204
    await react(running.omni)
    assert stumble.handled == []
    for body in ({}, {"moment": "2026-01-01T00:00:00Z"}, {"event_id": one["event_id"]}):
        assert (await client.post(f"{url}/replay", json=body)).status_code == 204
        await react(running.omni)
        assert stumble.handled == [one["event_id"]]
        stumble.handled.clear()
    for body in ({"moment": "2026-01-01T00:00:00"}, {"moment": "2026-01-01T00:00:00Z", "event_id": one["event_id"]}):
        assert (await client.post(f"{url}/replay", json=body)).status_code == 400
    unknown = await client.post("/v1/events/subscriptions/testing.nothing/replay", json={})
    assert (unknown.status_code, unknown.json()["code"]) == (404, "events.unknown_subscription")


async def test_subscriptions_are_the_operators(running: Running) -> None:
    tenant = await running.omni.tenants.get(await principal_of(running))
    made = await running.omni.keys.create(running.omni.operator(tenant.id), CREATE)
    async with client_of(running.app, made.secret) as tenants_own:
        for path in ("/v1/events/subscriptions", "/v1/events/held"):
            assert (await tenants_own.get(path)).status_code == 403
        assert (await tenants_own.post(f"/v1/events/subscriptions/{NAME}/replay", json={})).status_code == 403
        assert (await tenants_own.get("/v1/events")).status_code == 200


async def principal_of(running: Running) -> Principal:
    return await running.omni.authenticator.authenticate(running.key)
