"""What load balancers, scrapers and people ask of a server without a key."""

import httpx
import pytest

from omni_core import __version__
from tests.http.conftest import Running, running_with
from tests.support.asgi import client_of

PREFIXES = ["", "/api", "/api/v1"]


@pytest.mark.parametrize("prefix", PREFIXES)
async def test_health_has_three_prefixes(anybody: httpx.AsyncClient, prefix: str) -> None:
    for path, status in (("/health", "ready"), ("/health/ready", "ready"), ("/health/live", "live")):
        answer = await anybody.get(prefix + path)
        assert answer.status_code == 200
        assert {**answer.json(), "clock_skew_s": None} == {
            "status": status,
            "version": __version__,
            "failing": [],
            "clock_skew_s": None,
        }


async def test_the_difference_of_the_clocks_is_shown() -> None:
    async with running_with() as running, client_of(running.app, running.key) as client:
        assert "\nomni_clock_skew_seconds " in (await client.get("/metrics")).text
        (await client.post("/v1/budgets", json={"window": "day", "limit": "1.00"})).raise_for_status()
        body = {"model": "omni-brain", "messages": [{"role": "user", "content": "Snow is white. What is white?"}]}
        (await client.post("/v1/chat/completions", json=body)).raise_for_status()
        assert abs((await client.get("/health")).json()["clock_skew_s"]) < 1
        (line,) = [line for line in (await client.get("/metrics")).text.splitlines() if line.startswith("omni_clock")]
        assert abs(float(line.rpartition(" ")[2])) < 1


async def test_metrics_count_requests_by_route(anybody: httpx.AsyncClient, running: Running) -> None:
    await anybody.get("/v1/invoices/01a1fd0d-eb8f-7508-ba16-326bbf1b9498")
    await anybody.get("/made-up-by-a-caller")
    answer = await anybody.get("/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert 'route="/v1/invoices/{invoice_id}"' in answer.text
    # Neither an id nor a path that somebody thought of becomes a label.
    assert "01a1fd0d" not in answer.text
    assert "made-up-by-a-caller" not in answer.text


async def test_metrics_count_calls_of_providers(client: httpx.AsyncClient) -> None:
    body = {"model": "omni-brain", "messages": [{"role": "user", "content": "Snow is white. What is white?"}]}
    (await client.post("/v1/chat/completions", json=body)).raise_for_status()
    text = (await client.get("/metrics")).text
    calls = [line for line in text.splitlines() if line.startswith("omni_") and 'provider="omni"' in line]
    assert calls
    assert any(float(line.rpartition(" ")[2]) > 0 for line in calls)


@pytest.mark.parametrize("path", ["/api/docs", "/api/redoc", "/api/openapi.json"])
async def test_the_documentation_is_public(anybody: httpx.AsyncClient, path: str) -> None:
    answer = await anybody.get(path)
    assert answer.status_code == 200
    assert ("json" if path.endswith("json") else "text/html") in answer.headers["content-type"]


@pytest.mark.parametrize("given", ["abc-1", "a" * 128, "2026.11:trace_7"])
async def test_a_harmless_request_id_is_taken_over(anybody: httpx.AsyncClient, given: str) -> None:
    assert (await anybody.get("/health/live", headers={"X-Request-ID": given})).headers["x-request-id"] == given


@pytest.mark.parametrize("given", [b"", b"a" * 129, b"a b", b"<script>", b"caf\xc3\xa9", b"a\tb", b'"'])
async def test_any_other_request_id_is_replaced(anybody: httpx.AsyncClient, given: bytes) -> None:
    headers = [(b"X-Request-ID", given)]
    answers = [await anybody.get("/health/live", headers=headers) for _ in range(2)]
    ids = {answer.headers["x-request-id"] for answer in answers}
    assert len(ids) == 2
    assert all(len(id) == 32 and int(id, 16) >= 0 for id in ids)


@pytest.mark.parametrize("path", ["/health/live", "/v1/keys", "/nothing", "/api/openapi.json"])
async def test_every_answer_says_how_long_it_took(anybody: httpx.AsyncClient, path: str) -> None:
    answer = await anybody.get(path)
    assert float(answer.headers["x-process-time-ms"]) >= 0
    assert answer.headers.get_list("x-request-id") == [answer.headers["x-request-id"]]
