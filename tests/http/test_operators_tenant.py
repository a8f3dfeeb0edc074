"""The header by which an operator acts for a tenant."""

from uuid import UUID, uuid4

import httpx
import pytest


@pytest.mark.parametrize("tenant", [uuid4(), UUID(int=0)])
@pytest.mark.parametrize(
    "call",
    [
        ("POST", "/v1/keys", {"name": "x"}),
        ("POST", "/v1/budgets", {"window": "day", "limit": "1"}),
        ("POST", "/v1/chat/completions", {"model": "omni-brain", "messages": [{"role": "user", "content": "Hi."}]}),
    ],
    ids=lambda call: call[1],
)
async def test_nothing_is_written_for_a_tenant_that_is_not_there(
    client: httpx.AsyncClient, tenant: UUID, call: tuple[str, str, dict[str, object]]
) -> None:
    method, path, body = call
    answer = await client.request(method, path, json=body, headers={"Omni-Tenant": str(tenant)})
    assert (answer.status_code, answer.json()["code"]) == (404, "tenancy.unknown_tenant")
