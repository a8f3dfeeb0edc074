"""Whatever JSON is sent to the chat endpoint, the server does not stumble: it answers, or says what is wrong."""

import json
from typing import Any

import httpx
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.http.conftest import Running
from tests.support.asgi import client_of

GOOD: dict[str, Any] = {
    "model": "omni-brain",
    "messages": [{"role": "user", "content": "Snow is white. What is white?"}],
}
FIELDS = [
    "model", "messages", "stream", "stream_options", "max_tokens", "max_completion_tokens", "temperature", "top_p",
    "stop", "seed", "tools", "tool_choice", "parallel_tool_calls", "response_format", "n", "user", "metadata",
    "role", "content", "type", "text", "image_url", "url", "detail", "name", "tool_calls", "tool_call_id", "function",
    "parameters", "arguments", "id", "json_schema", "schema", "include_usage", "refusal", "audio", "modalities",
]  # fmt: skip
WORDS = [
    "omni-brain", "buggy-not", "system", "developer", "user", "assistant", "tool", "text", "image_url", "function",
    "json_schema", "json_object", "auto", "none", "required", "data:image/png;base64,AAAA", "https://example.com/a.png",
]  # fmt: skip
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False)
    | st.text(max_size=40)
    | st.sampled_from(WORDS)
)
# Every half of a surrogate pair included: JSON can say it, UTF-8 cannot.
texts = st.text(st.characters(exclude_categories=()), max_size=20)
anything = st.recursive(
    scalars | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(FIELDS) | texts, inner, max_size=5),
    max_leaves=20,
)


async def post(running: Running, body: bytes) -> httpx.Response:
    async with client_of(running.app, running.key) as client:
        return await client.post("/v1/chat/completions", content=body)


def assert_answered(answer: httpx.Response) -> None:
    assert answer.status_code < 500, answer.text
    if answer.is_error:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["status"] == answer.status_code


@given(body=anything)
@settings(max_examples=150)
async def test_any_json(running: Running, body: Any) -> None:
    assert_answered(await post(running, json.dumps(body).encode()))


@given(changes=st.dictionaries(st.sampled_from(FIELDS[:20]), anything, min_size=1, max_size=3))
@settings(max_examples=250)
async def test_a_good_request_with_anything_in_some_fields(running: Running, changes: dict[str, Any]) -> None:
    assert_answered(await post(running, json.dumps({**GOOD, **changes}).encode()))


@given(message=st.dictionaries(st.sampled_from(["role", "content", "name", "tool_calls", "tool_call_id"]), anything))
@settings(max_examples=150)
async def test_a_good_request_with_anything_in_a_message(running: Running, message: dict[str, Any]) -> None:
    messages = [*GOOD["messages"], {"role": "user", "content": "What is white?", **message}]
    assert_answered(await post(running, json.dumps({**GOOD, "messages": messages}).encode()))


@given(body=st.binary(max_size=200))
@settings(max_examples=100)
async def test_any_bytes(running: Running, body: bytes) -> None:
    assert_answered(await post(running, body))
