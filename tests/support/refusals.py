"""What every refusal has in common: it says what is wrong, costs nothing, and gives nothing away."""

import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from tests.support.installation import PROVIDER_KEY, REFUSED_KEY, Customer, Installation, calling
from tests.support.program import Program

MESSAGES = [{"role": "user", "content": "How are you?"}]
MEMBERS = {"type", "title", "status", "detail", "code", "kind", "request_id"}
# The time limit is a second here; this is when nobody would wait any longer.
WITHIN_S = 5.0
SECRETS = (PROVIDER_KEY, REFUSED_KEY, "Traceback", 'File "', "postgresql://", ".py")


def assert_problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """Check that the answer is the problem `code`, and return it."""
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), answer.text
    problem: dict[str, Any] = answer.json()
    assert problem.keys() >= MEMBERS
    assert (problem["code"], problem["status"]) == (code, status)
    assert problem["request_id"] == answer.headers["x-request-id"]
    assert problem["type"] == f"/api/problems/{code}"
    assert [secret for secret in SECRETS if secret in answer.text] == []
    return problem


class Refused:
    """A client of a tenant with a budget, that does not get what it asks for."""

    def __init__(self, client: httpx.AsyncClient, customer: Customer) -> None:
        self.client = client
        self.customer = customer

    async def chat(self, body: bytes | None = None, **fields: Any) -> httpx.Response:
        """Send a chat request: these bytes, or a good one with `fields` changed."""
        began = time.monotonic()
        if body is None:
            # As ASCII, so that whatever JSON can say can be sent.
            body = json.dumps({"model": "small", "messages": MESSAGES, **fields}).encode()
        headers = {"Content-Type": "application/json"}
        answer = await self.client.post("/v1/chat/completions", content=body, headers=headers)
        assert time.monotonic() - began < WITHIN_S
        return answer

    async def calls(self) -> list[dict[str, Any]]:
        """Return what the tenant was charged for."""
        span = {"since": "2020-01-01", "until": "2100-01-01"}
        items: list[dict[str, Any]] = (await self._get("/v1/usage/events", **span))["items"]
        return items

    async def spent(self) -> str:
        """Return what is gone of the budget, in dollars."""
        return await self._of_budget("spent")

    async def reserved(self) -> str:
        """Return what is set aside of the budget, in dollars."""
        return await self._of_budget("reserved")

    async def assert_nothing_was_charged(self) -> None:
        assert await self.calls() == []
        assert await self.spent() == "0.00"

    async def _of_budget(self, part: str) -> str:
        (budget,) = await self._get("/v1/budgets")
        value: str = budget[part]["value"]
        return value

    async def _get(self, path: str, **query: str) -> Any:
        return (await self.client.get(path, params=query)).raise_for_status().json()


@asynccontextmanager
async def refused_at(server: Program, installation: Installation) -> AsyncIterator[Refused]:
    """Make a tenant whose calls are to be refused."""
    customer = await installation.customer()
    await installation.budget(customer, "5.00")
    async with calling(server, customer.key) as client:
        yield Refused(client, customer)
