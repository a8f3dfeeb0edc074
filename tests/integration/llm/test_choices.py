"""Several choices, their probabilities and vendors' own fields, to a provider and back."""

import json
from collections import defaultdict
from typing import Any

import pytest

from omni_core.adapters.llm.factories import factories
from omni_core.adapters.llm.http import Broken
from omni_core.adapters.llm.openai_answers import decode
from omni_core.adapters.llm.openai_choices import ChoicesReader
from omni_core.domain.llm.errors import UnsupportedFeature
from omni_core.domain.llm.model import ChatDelta, ChatRequest, Message, Role, TokenUsage
from omni_core.domain.llm.ports import ProviderConfig
from omni_core.testing.upstream import FakeUpstream, Script
from tests.integration.llm.conftest import KEY

MESSAGES = (Message.of(Role.USER, "Which weather?"),)
SAID = "It rains in Paris."
TWO = ChatRequest("m", MESSAGES, choices=2)


def event(*choices: dict[str, Any], **members: Any) -> bytes:
    return json.dumps({"choices": list(choices), **members}).encode()


def piece(index: int, text: str | None = None, finish: str | None = None, **members: Any) -> dict[str, Any]:
    return {"index": index, "delta": {} if text is None else {"content": text}, "finish_reason": finish, **members}


@pytest.mark.parametrize("choices", [1, 2, 5])
@pytest.mark.parametrize("logprobs", [False, True])
async def test_a_stream_says_what_the_whole_answer_says(upstream: FakeUpstream, choices: int, logprobs: bool) -> None:
    upstream.script("m", Script(text=SAID, usage=TokenUsage(25, 10 * choices)))
    model = factories()["openai"](ProviderConfig("vendor", "openai", upstream.url, KEY))
    request = ChatRequest("m", MESSAGES, choices=choices, logprobs=logprobs)
    try:
        whole = await model.complete(request)
        deltas = [delta async for delta in model.stream(request)]
    finally:
        await model.aclose()
    texts, ends, tokens = defaultdict[int, str](str), {}, defaultdict[int, str](str)
    for delta in deltas:
        texts[delta.index] += delta.text
        tokens[delta.index] += "".join(one.token for one in (delta.logprobs and delta.logprobs.content) or ())
        if delta.finish_reason is not None:
            ends[delta.index] = delta.finish_reason
    assert list(texts.values()) == [choice.message.text for choice in whole.choices]
    assert list(ends.values()) == [choice.finish_reason for choice in whole.choices]
    assert [choice.logprobs is not None for choice in whole.choices] == [logprobs] * choices
    assert list(tokens.values()) == (list(texts.values()) if logprobs else [""] * choices)
    assert deltas[-1].usage == whole.usage == TokenUsage(25, 10 * choices)


@pytest.mark.parametrize(
    "kind, fields",
    [
        ("openai", {"n", "logprobs", "top_logprobs", "logit_bias", "verbosity", "store"}),
        ("ollama", {"logprobs", "top_logprobs"}),
        ("anthropic", {"metadata", "thinking", "top_k"}),
        ("brain", set()),
    ],
)
async def test_a_kind_says_what_it_takes_and_a_provider_what_else(kind: str, fields: set[str]) -> None:
    passes = () if kind == "brain" else ("min_p", "guided_json")
    model = factories()[kind](ProviderConfig("vendor", kind, "http://127.0.0.1:9/v1", KEY, passes=passes))
    assert model.capabilities.fields == fields | set(passes)
    await model.aclose()


@pytest.mark.parametrize("kind", ["openai", "anthropic"])
async def test_fields_that_a_provider_was_said_to_take_reach_it_as_they_are(upstream: FakeUpstream, kind: str) -> None:
    url = upstream.url if kind == "openai" else upstream.anthropic_url
    model = factories()[kind](ProviderConfig("vendor", kind, url, KEY, passes=("min_p", "guided_json", "user")))
    extra = {"min_p": 0.1, "guided_json": {"type": "object", "required": ["a"]}, "user": "u-1"}
    try:
        await model.complete(ChatRequest("m", MESSAGES, extra={**extra, "safety_identifier": "s-1"}))
        with pytest.raises(UnsupportedFeature):
            await model.complete(ChatRequest("m", MESSAGES, extra={"min_q": 1}))
    finally:
        await model.aclose()
    (call,) = upstream.calls
    assert {name: call.fields.get(name) for name in extra} == extra
    assert "safety_identifier" not in call.fields


async def test_anthropic_is_not_sent_openais_own_even_where_it_was_said_to_take_them(upstream: FakeUpstream) -> None:
    config = ProviderConfig("vendor", "anthropic", upstream.anthropic_url, KEY, passes=("n",))
    model = factories()["anthropic"](config)
    with pytest.raises(UnsupportedFeature):
        await model.complete(TWO)
    await model.aclose()
    assert upstream.calls == []


def test_choices_that_arrive_in_one_piece_are_told_apart() -> None:
    reader = ChoicesReader(TWO)
    assert reader.read(event(piece(1, "b"), piece(0, "a"))) == [ChatDelta("b", index=1), ChatDelta("a")]
    reader.read(event(piece(0, finish="stop"), piece(1, finish="length")))
    figures = {"prompt_tokens": 3, "completion_tokens": 9}
    assert reader.read(event(usage=figures)) == [ChatDelta(usage_so_far=TokenUsage(3, 9))]
    assert reader.end() == TokenUsage(3, 9)


def test_an_estimate_counts_what_every_choice_said() -> None:
    one, two = ChoicesReader(TWO), ChoicesReader(TWO)
    one.read(event(piece(0, "four letters" * 10, "stop")))
    two.read(event(piece(0, "four letters" * 10, "stop"), piece(1, "four letters" * 10, "stop")))
    assert two.end().estimated
    assert two.end().output_tokens == 2 * one.end().output_tokens


def test_an_answer_is_whole_when_each_of_its_choices_is() -> None:
    reader = ChoicesReader(TWO)
    reader.read(event(piece(0, "a", "stop"), piece(1, "b")))
    with pytest.raises(Broken):
        reader.end()


@pytest.mark.parametrize("index", [-1, 2, 10**9])
def test_a_choice_that_nobody_asked_for_is_none(index: int) -> None:
    with pytest.raises(Broken):
        ChoicesReader(TWO).read(event(piece(index, "a")))


def test_of_a_whole_answer_as_many_choices_count_as_were_asked_for() -> None:
    said = [{"index": index, "message": {"content": f"{index}"}, "finish_reason": "stop"} for index in (2, 0, 1)]
    body = json.dumps({"choices": said, "usage": {"prompt_tokens": 1, "completion_tokens": 3}}).encode()
    assert [choice.message.text for choice in decode(body, TWO).choices] == ["0", "1"]
    assert len(decode(body, ChatRequest("m", MESSAGES)).choices) == 1


def test_probabilities_that_nobody_asked_for_are_not_looked_at() -> None:
    said = {"message": {"content": "a"}, "finish_reason": "stop", "logprobs": "none"}
    assert decode(event(said), ChatRequest("m", MESSAGES)).logprobs is None


def test_figures_on_the_way_count_all_choices_of_their_event_once() -> None:
    reader = ChoicesReader(TWO)
    figures = {"prompt_tokens": 3, "completion_tokens": 2}
    read = reader.read(event(piece(0, "a"), piece(1, "b"), usage=figures))
    assert read == [ChatDelta("a"), ChatDelta("b", index=1, usage_so_far=TokenUsage(3, 2))]
    assert reader.read(event(piece(0, "c"), usage=figures)) == [ChatDelta("c", usage_so_far=TokenUsage(3, 2))]
