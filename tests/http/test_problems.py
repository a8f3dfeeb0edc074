"""Errors as RFC 9457 problems."""

import re

import httpx
import msgspec
import pytest

from omni_core.domain.budgets.errors import BudgetExhausted
from omni_core.domain.kernel.errors import Kind, OmniError
from omni_core.domain.llm.errors import (
    ProviderQuotaExhausted,
    ProviderRateLimited,
    ProviderRefusedKey,
    ProviderTimeout,
    UnknownModel,
    UnsupportedFeature,
)
from omni_core.domain.tenancy.errors import KeyMissing
from omni_http.openai_errors import TYPE_OF
from omni_http.problems import (
    STATUS_OF,
    BodyTooLarge,
    MethodNotAllowed,
    Problem,
    as_omni_error,
    event_body,
    problem_body,
    problem_headers,
    status_of,
)
from tests.http.conftest import SECRET


def leaves(parent: type[OmniError] = OmniError) -> list[type[OmniError]]:
    return [parent, *(leaf for child in parent.__subclasses__() for leaf in leaves(child))]


LEAVES = [leaf for leaf in leaves() if leaf.__module__.startswith("omni_")]


def test_every_kind_has_a_status() -> None:
    assert STATUS_OF.keys() == set(Kind)
    assert all(400 <= status <= 599 for status in STATUS_OF.values())
    assert len(set(STATUS_OF.values())) == len(Kind)


def test_every_code_is_one_errors_alone() -> None:
    codes = [leaf.code for leaf in LEAVES]
    assert len(codes) > 50
    assert [leaf for leaf in LEAVES if codes.count(leaf.code) > 1] == []
    assert [code for code in codes if not re.fullmatch(r"[a-z]+(_[a-z]+)*(\.[a-z]+(_[a-z]+)*)?", code)] == []


@pytest.mark.parametrize("leaf", LEAVES, ids=lambda leaf: leaf.code)
async def test_every_code_is_explained(anybody: httpx.AsyncClient, leaf: type[OmniError]) -> None:
    answer = await anybody.get(f"/api/problems/{leaf.code}")
    assert answer.status_code == 200
    explained = answer.json()
    assert (explained["code"], explained["kind"], explained["title"]) == (leaf.code, leaf.kind, leaf.title())
    assert explained["status"] == status_of(leaf())
    assert explained["detail"]


async def test_a_code_that_no_error_has(anybody: httpx.AsyncClient) -> None:
    answer = await anybody.get("/api/problems/no.such_code")
    assert (answer.status_code, answer.json()["code"]) == (404, "http.no_such_endpoint")


@pytest.mark.parametrize(
    "error, status",
    [
        (BodyTooLarge(), 413),
        (MethodNotAllowed(), 405),
        (ProviderRateLimited(), 429),
        (ProviderQuotaExhausted(), 429),
        (ProviderTimeout(), 503),
        (ProviderRefusedKey(), 502),
        (BudgetExhausted(), 429),
        (OmniError(), 500),
    ],
)
def test_statuses(error: OmniError, status: int) -> None:
    assert status_of(error) == status


@pytest.mark.parametrize(
    "error, headers",
    [
        (ProviderRateLimited(retry_after_s=1.2), {"Retry-After": "2"}),
        (ProviderQuotaExhausted(), {"X-Should-Retry": "false"}),
        (BudgetExhausted(retry_after_s=77), {"Retry-After": "77", "X-Should-Retry": "false"}),
        (BudgetExhausted(retry_after_s=1), {"Retry-After": "1"}),
        (BudgetExhausted(), {"X-Should-Retry": "false"}),
        (KeyMissing(), {"WWW-Authenticate": 'Bearer realm="omni"', "X-Should-Retry": "false"}),
    ],
)
def test_headers(error: OmniError, headers: dict[str, str]) -> None:
    assert problem_headers(error) == headers


def test_facts_are_members_but_never_replace_one() -> None:
    error = BudgetExhausted("no more", resets_at="2026-12-01T00:00:00+00:00", status=200, code="mine", title="x")
    problem = httpx.Response(429, content=problem_body(error, "r-1")).json()
    assert problem.keys() == {*Problem.__struct_fields__, "resets_at"} - {"remedy"}
    assert (problem["status"], problem["code"], problem["detail"], problem["request_id"]) == (
        429,
        "budgets.exhausted",
        "no more",
        "r-1",
    )


def test_every_kind_has_a_word_of_openais() -> None:
    assert TYPE_OF.keys() == set(Kind)


@pytest.mark.parametrize(
    "error, word, param",
    [
        (BodyTooLarge(), "invalid_request_error", None),
        (KeyMissing(), "authentication_error", None),
        (UnknownModel(field="model"), "not_found_error", "model"),
        (UnsupportedFeature(field="n"), "invalid_request_error", "n"),
        (BodyTooLarge(field=""), "invalid_request_error", None),
        (ProviderRateLimited(), "rate_limit_error", None),
        (ProviderQuotaExhausted(), "insufficient_quota", None),
        (BudgetExhausted(), "insufficient_quota", None),
        (ProviderTimeout(), "api_error", None),
        (OmniError(), "server_error", None),
    ],
)
def test_a_problem_is_told_in_openais_words_too(error: OmniError, word: str, param: str | None) -> None:
    told = {"message": error.detail, "type": word, "param": param, "code": error.code}
    document = msgspec.json.decode(problem_body(error, "r-1"))
    assert document["error"] == told
    assert document["type"] == f"/api/problems/{error.code}"
    # In a stream the same members stand side by side.
    event = msgspec.json.decode(event_body(error, "r-1"))
    assert event == {**{name: fact for name, fact in document.items() if name != "error"}, **told}


@pytest.mark.parametrize("path, status", [("/v1/nothing", 404), ("/v1/keys", 401)])
async def test_every_error_on_the_way_has_openais_object(anybody: httpx.AsyncClient, path: str, status: int) -> None:
    answer = await anybody.get(path)
    problem = answer.json()
    assert answer.status_code == status
    assert problem["error"].keys() == {"message", "type", "param", "code"}
    assert (problem["error"]["message"], problem["error"]["code"]) == (problem["detail"], problem["code"])


def test_what_nobody_foresaw_says_nothing_of_itself() -> None:
    known = as_omni_error(RuntimeError(SECRET))
    assert (known.code, known.kind, known.fields) == ("internal", Kind.INTERNAL, {})
    assert SECRET not in known.detail


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_mistake_in_the_program_is_a_500(client: httpx.AsyncClient, streamed: bool) -> None:
    body = {"model": "buggy", "stream": streamed, "messages": [{"role": "user", "content": "Hello."}]}
    answer = await client.post("/v1/chat/completions", json=body)
    assert (answer.status_code, answer.headers["content-type"]) == (500, "application/problem+json")
    assert answer.json()["code"] == "internal"
    assert SECRET not in answer.text
    assert "mistake" not in answer.text


@pytest.mark.parametrize(
    "path, methods",
    [
        ("/v1/chat/completions", {"POST", "OPTIONS"}),
        ("/v1/budgets/00000000-0000-0000-0000-000000000000", {"DELETE", "PATCH", "OPTIONS"}),
    ],
)
async def test_a_method_that_is_not_allowed_says_which_are(
    client: httpx.AsyncClient, path: str, methods: set[str]
) -> None:
    answer = await client.put(path)
    assert (answer.status_code, set(answer.headers["allow"].split(", "))) == (405, methods)


@pytest.mark.parametrize(
    "method, path, status, code",
    [
        ("GET", "/nothing", 404, "http.no_such_endpoint"),
        ("GET", "/api/docs/nothing.js", 404, "http.no_such_endpoint"),
        ("GET", "/api/docs/..%2Fpages.py", 404, "http.no_such_endpoint"),
        ("GET", "/v1/nothing", 404, "http.no_such_endpoint"),
        ("DELETE", "/v1/chat/completions", 405, "http.method_not_allowed"),
        ("GET", "/v1/keys?limit=0", 400, "http.invalid_parameter"),
        ("GET", "/v1/keys?limit=many", 400, "http.invalid_parameter"),
        ("GET", "/v1/keys?cursor=!", 400, "kernel.invalid_cursor"),
        ("GET", "/v1/usage", 400, "http.invalid_parameter"),
        ("GET", "/v1/usage?since=yesterday&until=2026-11-21", 400, "kernel.invalid_value"),
        ("GET", "/v1/invoices/preview?month=2026-13", 400, "kernel.invalid_value"),
        ("GET", "/v1/invoices/0", 400, "kernel.invalid_value"),
        ("GET", "/v1/jobs/0", 404, "http.no_such_endpoint"),
        ("POST", "/v1/invoices", 400, "http.malformed_body"),
    ],
)
async def test_what_the_framework_refuses_is_a_problem_too(
    client: httpx.AsyncClient, method: str, path: str, status: int, code: str
) -> None:
    answer = await client.request(method, path)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    problem = answer.json()
    assert (problem["code"], problem["status"], problem["type"]) == (code, status, f"/api/problems/{code}")
    assert problem["request_id"] == answer.headers["x-request-id"]


async def test_a_grouping_may_be_repeated(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/usage?since=2026-11-01&until=2026-11-02&by=model&by=model")
    assert (answer.status_code, answer.json()) == (200, [])
