"""The official `openai` client, unchanged, against the started program."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest
from openai.types.chat import ChatCompletionMessageParam, ChatCompletionToolParam

from omni_core import Scope
from omni_core.domain.llm.api import TokenUsage
from omni_core.testing.upstream import FAULTS, Script
from tests.support.installation import Customer, Installation
from tests.support.program import Program

QUESTION: list[ChatCompletionMessageParam] = [
    {"role": "system", "content": "Omni meters every call. Invoices are closed each month."},
    {"role": "user", "content": "When are invoices closed?"},
]
WEATHER: ChatCompletionToolParam = {
    "type": "function",
    "function": {"name": "get_weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}},
}
SAID = "It rains in Paris, and it is noon."
CALLABLE = ["omni-brain", "small", "claude"]


@pytest.fixture
async def client(server: Program, customer: Customer) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key=customer.key) as client:
        yield client


@pytest.fixture
def upstream_script(installation: Installation) -> None:
    for model in ("small", "claude"):
        # With pauses: words that arrive together are passed on together.
        installation.upstream.script(model, Script(text=SAID, usage=TokenUsage(25, 10), delay_s=0.01))


@pytest.mark.parametrize("model", CALLABLE)
async def test_chats(client: openai.AsyncOpenAI, upstream_script: None, model: str) -> None:
    answer = await client.chat.completions.create(model=model, messages=QUESTION, temperature=0)
    choice = answer.choices[0]
    assert (answer.object, answer.model, choice.finish_reason) == ("chat.completion", model, "stop")
    assert choice.message.role == "assistant"
    assert "Invoices are closed each month." in (choice.message.content or "") or choice.message.content == SAID
    assert answer.usage is not None
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens > 0
    if model != "omni-brain":
        assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (25, 10)


@pytest.mark.parametrize("model", CALLABLE)
async def test_streams_what_it_answers_at_once(client: openai.AsyncOpenAI, upstream_script: None, model: str) -> None:
    whole = await client.chat.completions.create(model=model, messages=QUESTION)
    stream = await client.chat.completions.create(model=model, messages=QUESTION, stream=True)
    chunks = [chunk async for chunk in stream]
    text = "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)
    assert text == whole.choices[0].message.content
    assert [choice.finish_reason for chunk in chunks for choice in chunk.choices if choice.finish_reason] == ["stop"]
    assert len({chunk.id for chunk in chunks}) == 1
    assert chunks[0].choices[0].delta.role == "assistant"
    assert len(chunks) > 3


@pytest.mark.parametrize("model", CALLABLE)
async def test_sends_usage_in_a_stream_only_when_asked(
    client: openai.AsyncOpenAI, upstream_script: None, model: str
) -> None:
    async def usages(**options: Any) -> list[tuple[int, int]]:
        stream = await client.chat.completions.create(model=model, messages=QUESTION, stream=True, **options)
        found = [(chunk.usage, chunk.choices) async for chunk in stream if chunk.usage is not None]
        assert all(choices == [] for _, choices in found)
        return [(usage.prompt_tokens, usage.completion_tokens) for usage, _ in found]

    whole = await client.chat.completions.create(model=model, messages=QUESTION)
    assert whole.usage is not None
    assert await usages() == []
    assert await usages(stream_options={"include_usage": False}) == []
    asked = await usages(stream_options={"include_usage": True})
    assert asked == [(whole.usage.prompt_tokens, whole.usage.completion_tokens)]


@pytest.mark.parametrize("model", ["omni-brain", "small"])
async def test_serves_the_synchronous_client(
    server: Program, customer: Customer, upstream_script: None, model: str
) -> None:
    def chat() -> tuple[str, str]:
        with openai.OpenAI(base_url=f"{server.url}/v1", api_key=customer.key) as client:
            whole = client.chat.completions.create(model=model, messages=QUESTION)
            with client.chat.completions.create(model=model, messages=QUESTION, stream=True) as stream:
                pieces = [choice.delta.content or "" for chunk in stream for choice in chunk.choices]
        return whole.choices[0].message.content or "", "".join(pieces)

    # In a thread, because the fake provider answers from this one.
    whole, streamed = await asyncio.to_thread(chat)
    assert whole == streamed != ""


@pytest.mark.parametrize("model", ["small", "claude"])
@pytest.mark.parametrize("streamed", [False, True])
async def test_carries_tool_calls_there_and_back(
    client: openai.AsyncOpenAI, installation: Installation, model: str, streamed: bool
) -> None:
    installation.upstream.script(model, FAULTS["tool"])
    asked: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Weather and time in Paris?"}]
    calls = await _tool_calls(client, model, asked, streamed=streamed)
    assert calls == [("call_1", "get_weather", '{"city":"Paris"}'), ("call_2", "get_time", "{}")]

    installation.upstream.script(model, Script(text=SAID))
    turn: ChatCompletionMessageParam = {
        "role": "assistant",
        "tool_calls": [
            {"id": id, "type": "function", "function": {"name": name, "arguments": arguments}}
            for id, name, arguments in calls
        ],
    }
    results: list[ChatCompletionMessageParam] = [
        {"role": "tool", "tool_call_id": id, "content": f"result of {name}"} for id, name, _ in calls
    ]
    answer = await client.chat.completions.create(model=model, messages=[*asked, turn, *results], tools=[WEATHER])
    assert answer.choices[0].message.content == SAID
    sent = installation.upstream.calls[-1].body.decode()
    assert all(part in sent for part in ("call_1", "call_2", "result of get_weather", "result of get_time"))


async def _tool_calls(
    client: openai.AsyncOpenAI, model: str, messages: list[ChatCompletionMessageParam], *, streamed: bool
) -> list[tuple[str, str, str]]:
    """Return id, name and arguments of the tool calls that the model asks for."""
    if streamed:
        # The client's own accumulator puts the pieces together.
        async with client.chat.completions.stream(model=model, messages=messages, tools=[WEATHER]) as stream:
            choice = (await stream.get_final_completion()).choices[0]
            found = [(call.id, call.function) for call in choice.message.tool_calls or ()]
            assert choice.finish_reason == "tool_calls"
            return [(id, function.name, function.arguments) for id, function in found]
    answer = await client.chat.completions.create(model=model, messages=messages, tools=[WEATHER])
    assert answer.choices[0].finish_reason == "tool_calls"
    calls = answer.choices[0].message.tool_calls or []
    return [(call.id, call.function.name, call.function.arguments) for call in calls if call.type == "function"]


async def test_reports_cached_tokens(client: openai.AsyncOpenAI, installation: Installation) -> None:
    installation.upstream.script("small", Script(usage=TokenUsage(100, 10, cached_input_tokens=64)))
    answer = await client.chat.completions.create(model="small", messages=QUESTION)
    assert answer.usage is not None
    assert answer.usage.prompt_tokens_details is not None
    assert answer.usage.prompt_tokens_details.cached_tokens == 64


async def test_lists_models(client: openai.AsyncOpenAI) -> None:
    listed = {model.id: model async for model in client.models.list()}
    assert {"omni-brain", "small", "claude"} <= listed.keys()
    assert await client.models.retrieve("small") == listed["small"]
    assert listed["claude"].owned_by == "claude"
    assert listed["small"].created > 1_700_000_000


@pytest.mark.parametrize(
    "model, raised, code, status",
    [
        ("no-such-model", openai.NotFoundError, "llm.unknown_model", 404),
        ("fault-400", openai.BadRequestError, "llm.provider_rejected", 400),
        ("fault-not-http", openai.InternalServerError, "llm.provider_garbage", 503),
        ("fault-429", openai.RateLimitError, "llm.provider_rate_limited", 429),
        ("locked-out", openai.InternalServerError, "llm.provider_refused_key", 502),
        ("unreachable", openai.InternalServerError, "llm.provider_unavailable", 503),
    ],
)
@pytest.mark.parametrize("streamed", [False, True])
async def test_raises_the_clients_own_errors(
    client: openai.AsyncOpenAI, model: str, raised: type[openai.APIStatusError], code: str, status: int, streamed: bool
) -> None:
    patient = client.with_options(max_retries=0)
    with pytest.raises(raised) as caught:
        await patient.chat.completions.create(model=model, messages=QUESTION, stream=streamed)
    assert (caught.value.status_code, caught.value.code) == (status, code)
    assert caught.value.request_id == caught.value.response.json()["request_id"]


@pytest.mark.parametrize(
    "asked, status, kind",
    [
        ({"key": "omni_sk_nobody"}, 401, "authentication_error"),
        ({"model": "no-such-model"}, 404, "not_found_error"),
        ({"modalities": ["audio"]}, 422, "invalid_request_error"),
        ({"model": "fault-429"}, 429, "rate_limit_error"),
    ],
)
async def test_shows_what_went_wrong(client: openai.AsyncOpenAI, asked: dict[str, Any], status: int, kind: str) -> None:
    key, options = asked.get("key"), {name: value for name, value in asked.items() if name != "key"}
    patient = client.with_options(max_retries=0, **({"api_key": key} if key else {}))
    with pytest.raises(openai.APIStatusError) as caught:
        await patient.chat.completions.create(**{"model": "small", "messages": QUESTION, **options})
    problem = caught.value.response.json()
    assert (caught.value.status_code, caught.value.type, caught.value.code) == (status, kind, problem["code"])
    assert caught.value.param == problem.get("field")
    assert caught.value.body == problem["error"]
    assert problem["detail"] in caught.value.body["message"]  # type: ignore[index]
    assert problem["detail"][:20] in str(caught.value)
    assert caught.value.response.headers.get("retry-after") == ("7" if status == 429 else None)


async def test_raises_authentication_error_for_a_wrong_key(client: openai.AsyncOpenAI) -> None:
    stranger = client.with_options(api_key="omni_sk_" + "0" * 17 + "_" + "0" * 33)
    with pytest.raises(openai.AuthenticationError) as caught:
        await stranger.models.list()
    assert caught.value.code == "tenancy.key_rejected"


async def test_raises_bad_request_error_that_names_the_field(client: openai.AsyncOpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        await client.chat.completions.create(model="small", messages=[])
    assert (caught.value.code, caught.value.param) == ("http.malformed_body", "messages")
    assert "messages" in str(caught.value)


SPECIAL: dict[str, Any] = {
    "n": 2,
    "logprobs": True,
    "top_logprobs": 3,
    "logit_bias": {"50256": -100},
    "verbosity": "low",
    "store": True,
}


async def test_passes_on_what_the_provider_takes(client: openai.AsyncOpenAI, installation: Installation) -> None:
    await client.chat.completions.create(model="small", messages=QUESTION, **SPECIAL)
    sent = installation.upstream.calls[-1].fields
    assert {name: sent.get(name) for name in SPECIAL} == SPECIAL
    thinking = {"type": "enabled", "budget_tokens": 1024}
    given = {"top_k": 40, "thinking": thinking, "metadata": {"user_id": "u-1", "page": "7"}}
    await client.chat.completions.create(model="claude", messages=QUESTION, extra_body=given)
    sent = installation.upstream.calls[-1].fields
    assert {name: sent.get(name) for name in given} == {**given, "metadata": {"user_id": "u-1"}}


@pytest.mark.parametrize("model", ["claude", "omni-brain"])
@pytest.mark.parametrize("field", SPECIAL)
async def test_raises_unprocessable_for_what_a_provider_does_not_take(
    client: openai.AsyncOpenAI, installation: Installation, model: str, field: str
) -> None:
    before = len(installation.upstream.calls)
    with pytest.raises(openai.UnprocessableEntityError) as caught:
        await client.chat.completions.create(model=model, messages=QUESTION, **{field: SPECIAL[field]})
    assert (caught.value.code, caught.value.param) == ("llm.unsupported_feature", field)
    assert len(installation.upstream.calls) == before


async def test_raises_unprocessable_for_a_vendors_field_that_the_provider_was_not_said_to_take(
    client: openai.AsyncOpenAI,
) -> None:
    with pytest.raises(openai.UnprocessableEntityError) as caught:
        await client.chat.completions.create(model="small", messages=QUESTION, extra_body={"min_p": 0.1})
    assert (caught.value.code, caught.value.param) == ("llm.unsupported_feature", "min_p")


async def test_returns_as_many_choices_as_were_asked_for(
    client: openai.AsyncOpenAI, installation: Installation
) -> None:
    installation.upstream.script("small", Script(text=SAID, usage=TokenUsage(25, 30)))
    asked: dict[str, Any] = {"model": "small", "messages": QUESTION, "n": 3, "logprobs": True}
    whole = await client.chat.completions.create(**asked)
    said = [SAID, f"1: {SAID}", f"2: {SAID}"]
    assert [(choice.index, choice.message.content) for choice in whole.choices] == list(enumerate(said))
    assert whole.usage is not None
    assert whole.usage.completion_tokens == 30
    tokens = [choice.logprobs.content for choice in whole.choices if choice.logprobs]
    assert ["".join(token.token for token in one or ()) for one in tokens] == said
    assert [one[0].logprob for one in tokens if one] == [-0.25] * 3

    chunks = [chunk async for chunk in await client.chat.completions.create(**asked, stream=True)]
    choices = [choice for chunk in chunks for choice in chunk.choices]
    for index, text in enumerate(said):
        own = [choice for choice in choices if choice.index == index]
        assert own[0].delta.role == "assistant"
        assert "".join(choice.delta.content or "" for choice in own) == text
        logged = [token.token for choice in own if choice.logprobs for token in choice.logprobs.content or ()]
        assert "".join(logged) == text
        assert [choice.finish_reason for choice in own if choice.finish_reason] == ["stop"]


async def test_a_budget_covers_every_choice(
    client: openai.AsyncOpenAI, installation: Installation, customer: Customer
) -> None:
    # A cent a call, and a cent for the hundred tokens that a choice may have.
    await installation.budget(customer, "0.05")
    asked: dict[str, Any] = {"model": "open-ended", "messages": QUESTION}
    with pytest.raises(openai.RateLimitError):
        await client.chat.completions.create(**asked, n=5)
    installation.upstream.script("open-ended", Script(text=SAID, usage=TokenUsage(25, 300)))
    answer = await client.chat.completions.create(**asked, n=3)
    assert len(answer.choices) == 3


async def test_raises_rate_limit_error_at_once_where_the_budget_is_used_up(
    client: openai.AsyncOpenAI, installation: Installation, customer: Customer
) -> None:
    await installation.budget(customer, "0.01")
    await client.chat.completions.create(model="flat", messages=QUESTION)
    with pytest.raises(openai.RateLimitError) as caught:
        # With its retries on: the server says that they are of no use, since the month has to end first.
        await client.chat.completions.create(model="flat", messages=QUESTION)
    assert caught.value.code == "budgets.exhausted"
    assert caught.value.request.headers["x-stainless-retry-count"] == "0"


async def test_raises_permission_denied_for_a_missing_scope(
    client: openai.AsyncOpenAI, installation: Installation, customer: Customer
) -> None:
    reader = client.with_options(api_key=await installation.key(customer, Scope.MODELS_READ))
    with pytest.raises(openai.PermissionDeniedError) as caught:
        await reader.chat.completions.create(model="small", messages=QUESTION)
    assert caught.value.code == "kernel.missing_scope"


async def test_retries_what_may_pass(client: openai.AsyncOpenAI, installation: Installation) -> None:
    before = len(installation.upstream.calls)
    with pytest.raises(openai.InternalServerError):
        await client.with_options(max_retries=1).chat.completions.create(model="fault-down", messages=QUESTION)
    assert len(installation.upstream.calls) == before + 2


@pytest.mark.parametrize("fault", ["cut", "stall", "garbage", "error"])
async def test_raises_api_error_where_a_stream_breaks_off(client: openai.AsyncOpenAI, fault: str) -> None:
    stream = await client.chat.completions.create(model=f"fault-{fault}", messages=QUESTION, stream=True)
    received: list[str] = []

    async def read() -> None:
        async for chunk in stream:
            received.extend(choice.delta.content for choice in chunk.choices if choice.delta.content)

    with pytest.raises(openai.APIError, match="'impatient'") as caught:
        await read()
    assert received
    assert (caught.value.code or "").startswith("llm.provider_")
