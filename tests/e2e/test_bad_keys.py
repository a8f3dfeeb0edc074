"""Who may not come in: each refused with a problem of its own, in every process within a second."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from omni_core import CreateKey
from tests.support.installation import Customer, Installation, calling
from tests.support.program import Program
from tests.support.refusals import MESSAGES, assert_problem

BODY = {"model": "omni-brain", "messages": MESSAGES}
WITHIN_S = 1.0


@pytest.fixture(scope="module")
async def servers(installation: Installation, server: Program) -> AsyncIterator[list[Program]]:
    async with installation.program() as other:
        yield [server, other]


@pytest.fixture
async def clients(servers: list[Program], customer: Customer) -> AsyncIterator[list[httpx.AsyncClient]]:
    """A client of each server, under the customer's key, which each server has seen."""
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(calling(server, customer.key)) for server in servers]
        for client in clients:
            (await chat(client)).raise_for_status()
        yield clients


async def chat(client: httpx.AsyncClient) -> httpx.Response:
    return await client.post("/v1/chat/completions", json=BODY)


@pytest.fixture
async def operator(installation: Installation, server: Program) -> AsyncIterator[httpx.AsyncClient]:
    async with calling(server, await installation.operator_key()) as client:
        yield client


@pytest.mark.parametrize(
    "header, code",
    [
        (None, "tenancy.key_missing"),
        ("Bearer", "tenancy.key_missing"),
        ("Basic dXNlcjpwYXNz", "tenancy.key_missing"),
        ("Bearer sk-1234", "tenancy.key_rejected"),
        ("Bearer omni_sk_" + "0" * 17 + "_" + "0" * 33, "tenancy.key_rejected"),
        ("Bearer " + "x" * 5_000, "tenancy.key_rejected"),
        (b"Bearer omni_sk_\xff", "tenancy.key_rejected"),
    ],
)
async def test_no_key_and_a_wrong_key(server: Program, header: str | bytes | None, code: str) -> None:
    async with calling(server) as client:
        headers = {} if header is None else {"Authorization": header}
        answer = await client.post("/v1/chat/completions", json=BODY, headers=headers)  # type: ignore[arg-type]
    assert_problem(answer, 401, code)
    assert answer.headers["www-authenticate"] == 'Bearer realm="omni"'
    assert answer.headers["x-should-retry"] == "false"


async def test_a_key_with_another_secret(server: Program, customer: Customer) -> None:
    last = "1" if customer.key.endswith("0") else "0"
    async with calling(server, customer.key[:-1] + last) as client:
        problem = assert_problem(await chat(client), 401, "tenancy.key_rejected")
    assert customer.key[8:25] not in str(problem)


async def test_a_revoked_key(clients: list[httpx.AsyncClient], installation: Installation, customer: Customer) -> None:
    administrator = await installation.omni.keys.create(customer.principal, CreateKey("administrator", ("keys:write",)))
    listed = (await clients[0].get("/v1/keys")).raise_for_status().json()["items"]
    (key_id,) = [key["id"] for key in listed if key["public_id"] in customer.key]
    headers = {"Authorization": f"Bearer {administrator.secret}"}
    (await clients[0].delete(f"/v1/keys/{key_id}", headers=headers)).raise_for_status()
    await asyncio.sleep(WITHIN_S)
    for client in clients:
        assert_problem(await chat(client), 401, "tenancy.key_revoked")


async def test_an_expired_key(server: Program, installation: Installation, customer: Customer) -> None:
    expires_at = datetime.now(UTC) + timedelta(seconds=1)
    command = CreateKey("short", expires_at=expires_at)
    made = await installation.omni.keys.create(customer.principal, command)
    async with calling(server, made.secret) as client:
        while (answer := await chat(client)).is_success:
            assert datetime.now(UTC) < expires_at + timedelta(seconds=WITHIN_S)
        assert_problem(answer, 401, "tenancy.key_expired")
    assert datetime.now(UTC) >= expires_at


async def test_a_suspended_tenant(
    clients: list[httpx.AsyncClient], operator: httpx.AsyncClient, customer: Customer
) -> None:
    (await operator.post(f"/v1/tenants/{customer.id}/suspend")).raise_for_status()
    await asyncio.sleep(WITHIN_S)
    for client in clients:
        assert_problem(await chat(client), 403, "tenancy.tenant_suspended")
    (await operator.post(f"/v1/tenants/{customer.id}/reactivate")).raise_for_status()
    await asyncio.sleep(WITHIN_S)
    for client in clients:
        assert (await chat(client)).is_success
