"""What a server's log says of requests."""

import httpx
import pytest
from structlog.testing import capture_logs

from tests.http.conftest import Running


@pytest.mark.parametrize(
    "path, status, code",
    [
        ("/v1/keys", 401, "tenancy.key_missing"),
        ("/nothing", 404, "http.no_such_endpoint"),
        ("/v1/usage", 401, "tenancy.key_missing"),
    ],
)
async def test_a_callers_mistake_is_logged_at_level_info(
    anybody: httpx.AsyncClient, path: str, status: int, code: str
) -> None:
    with capture_logs() as logs:
        answer = await anybody.get(path, headers={"X-Request-ID": "mine"})
    (entry,) = [one for one in logs if one["event"] == "request"]
    assert answer.status_code == status
    assert (entry["log_level"], entry["status"], entry["code"]) == ("info", status, code)
    assert (entry["method"], entry["path"], entry["request_id"]) == ("GET", path, "mine")


async def test_a_request_that_succeeds_is_not_logged(anybody: httpx.AsyncClient) -> None:
    with capture_logs() as logs:
        assert (await anybody.get("/health/live")).is_success
    assert [one for one in logs if one["event"] == "request"] == []


async def test_a_mistake_of_ours_is_logged_as_an_error(client: httpx.AsyncClient, running: Running) -> None:
    body = {"model": "buggy", "messages": [{"role": "user", "content": "?"}]}
    with capture_logs() as logs:
        assert (await client.post("/v1/chat/completions", json=body)).status_code == 500
    (entry,) = [one for one in logs if one["event"] == "request"]
    assert (entry["log_level"], entry["status"], entry["code"]) == ("error", 500, "internal")


@pytest.mark.parametrize(
    "path, status", [("/v1/keys", 401), ("/nothing", 404), ("/v1/usage", 400), ("/v1/models", 200)]
)
async def test_statuses_are_plain_numbers(
    client: httpx.AsyncClient, anybody: httpx.AsyncClient, path: str, status: int
) -> None:
    asking = anybody if status == 401 else client
    with capture_logs() as logs:
        await asking.get(path)
    assert {type(one["status"]) for one in logs if "status" in one} <= {int}
    samples = [line for line in (await anybody.get("/metrics")).text.splitlines() if "_count{" in line]
    assert f'status="{status}"' in " ".join(samples)
    assert "HTTPStatus" not in " ".join(samples)
