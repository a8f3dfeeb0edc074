"""Requests that are not good: each refused with a problem of its own, for nothing."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.support.installation import Installation
from tests.support.program import Program
from tests.support.refusals import MESSAGES, SECRETS, Refused, assert_problem, refused_at

TEN_MEGABYTES = 10_000_000


@pytest.fixture(scope="module")
async def refused(server: Program, installation: Installation) -> AsyncIterator[Refused]:
    async with refused_at(server, installation) as refused:
        yield refused
        await refused.assert_nothing_was_charged()
        assert [secret for secret in (*SECRETS, refused.customer.key) if secret in server.log] == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"text"',
        b"\xff\xfe{}",
        b'{"model":"\xff"}',
        b'{"model":"small","messages":[}',
        b"{}" * 2,
        b"model=small",
    ],
)
async def test_what_is_no_json_object(refused: Refused, body: bytes) -> None:
    assert_problem(await refused.chat(body), 400, "http.malformed_body")


@pytest.mark.parametrize(
    "field, wrong",
    [
        ("messages", {"messages": []}),
        ("messages", {"messages": "hello"}),
        ("messages[0].role", {"messages": [{"role": "robot", "content": "hello"}]}),
        ("messages[1].content", {"messages": [*MESSAGES, {"role": "user", "content": 7}]}),
        ("messages[1].text", {"messages": [*MESSAGES, {"role": "user", "text": "hello"}]}),
        ("temperature", {"temperature": 2.1}),
        ("temperature", {"temperature": "1"}),
        ("max_tokens", {"max_tokens": 0}),
        ("max_tokens", {"max_tokens": 1.5}),
        ("stop", {"stop": ["a", "b", "c", "d", "e"]}),
        ("model", {"model": None}),
        ("n", {"n": 0}),
        ("n", {"n": 129}),
        ("top_logprobs", {"top_logprobs": 21}),
        ("logit_bias", {"logit_bias": {"50256": 101}}),
    ],
)
async def test_a_field_that_is_wrong_is_named(refused: Refused, field: str, wrong: dict[str, Any]) -> None:
    problem = assert_problem(await refused.chat(**wrong), 400, "http.malformed_body")
    assert field in problem["field"].replace("[...]", f"[{len(wrong.get('messages', ())) - 1}]")
    assert problem["allowed"]


@pytest.mark.parametrize(
    "field, wrong",
    [
        ("messages[0].content", {"messages": [{"role": "user"}]}),
        ("messages[1].tool_call_id", {"messages": [*MESSAGES, {"role": "tool", "content": "7"}]}),
        ("response_format.json_schema", {"response_format": {"type": "json_schema"}}),
    ],
)
async def test_a_field_that_is_missing_is_named(refused: Refused, field: str, wrong: dict[str, Any]) -> None:
    assert assert_problem(await refused.chat(**wrong), 400, "llm.invalid_request")["field"] == field


@pytest.mark.parametrize(
    "field, wrong", [("modle", "small"), ("modalities", ["audio"]), ("prediction", {"type": "content"}), ("top_k", 40)]
)
async def test_what_omni_does_not_do_is_named(refused: Refused, field: str, wrong: Any) -> None:
    assert assert_problem(await refused.chat(**{field: wrong}), 422, "llm.unsupported_feature")["field"] == field


@pytest.mark.parametrize("name", ["no-such-model", "", "a" * 10_000, "../small", "small\0"])
async def test_an_unknown_model(refused: Refused, name: str) -> None:
    assert_problem(await refused.chat(model=name), 404, "llm.unknown_model")


@pytest.mark.parametrize("model", ["small", "claude", "omni-brain"])
async def test_half_a_character_is_no_text(refused: Refused, model: str) -> None:
    body = b'{"model":"%b","messages":[{"role":"user","content":"\\ud800"}]}' % model.encode()
    answer = await refused.chat(body)
    assert answer.status_code == 400, answer.text


@pytest.mark.parametrize("announced", [True, False], ids=["with a length", "in chunks"])
async def test_a_body_of_ten_megabytes(refused: Refused, announced: bool) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(TEN_MEGABYTES // 100_000):
            yield b" " * 100_000

    content = b" " * TEN_MEGABYTES if announced else pieces()
    answer = await refused.client.post("/v1/chat/completions", content=content)
    assert_problem(answer, 413, "http.body_too_large")


async def test_a_large_body_within_the_limit_is_read(refused: Refused) -> None:
    """Seven megabytes of text cost more than the budget has, and are refused for that alone."""
    messages = [{"role": "user", "content": "x" * 7_000_000}]
    assert_problem(await refused.chat(messages=messages, model="tiered"), 429, "budgets.exhausted")


@pytest.mark.parametrize(
    "field", [b'"metadata":{"a":%b}', b'"tools":[{"function":{"name":"f","parameters":{"a":%b}}}]']
)
async def test_json_as_deep_as_a_well(refused: Refused, field: bytes) -> None:
    deep = b"[" * 100_000 + b"]" * 100_000
    body = b'{"model":"small","messages":[{"role":"user","content":"Hello."}],' + field % deep + b"}"
    assert_problem(await refused.chat(body), 400, "http.malformed_body")


async def test_another_method_and_another_path(refused: Refused) -> None:
    assert_problem(await refused.client.get("/v1/chat/completions"), 405, "http.method_not_allowed")
    assert_problem(await refused.client.post("/v1/chat"), 404, "http.no_such_endpoint")
    assert_problem(await refused.client.get("/v1/jobs/not-an-id"), 404, "http.no_such_endpoint")
