"""What the adapters send is what the vendors' own descriptions allow, and says what was asked."""

import gzip
import itertools
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from anthropic.types.message_create_params import (
    MessageCreateParamsBase,
    MessageCreateParamsNonStreaming,
    MessageCreateParamsStreaming,
)
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import TypeAdapter
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from omni_core.adapters.llm import anthropic_wire, openai_wire
from omni_core.domain.llm.errors import ProviderRejected, UnsupportedFeature
from omni_core.domain.llm.model import (
    ChatRequest,
    Image,
    Message,
    ResponseFormat,
    Role,
    Text,
    Tool,
    ToolCall,
    ToolChoice,
)

ANTHROPIC_REQUEST: dict[bool, TypeAdapter[Any]] = {
    False: TypeAdapter(MessageCreateParamsNonStreaming),
    True: TypeAdapter(MessageCreateParamsStreaming),
}
SPEC = Path(__file__).parents[4] / "shared" / "specs" / "openai.json.gz"
WEATHER = Tool(
    "get_weather",
    "Says the weather.",
    {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
)
CONVERSATION = (
    Message.of(Role.SYSTEM, "You are terse."),
    Message(Role.USER, (Text("What is this?"), Image("https://example.test/cat.png", "low"))),
    Message(Role.USER, (Image("data:image/png;base64,iVBORw0KGgo="),)),
    Message(
        Role.ASSISTANT,
        (Text("A moment."),),
        (ToolCall("call_1", "get_weather", '{"city":"Paris"}'), ToolCall("call_2", "get_weather", '{"city":"Rome"}')),
    ),
    Message(Role.TOOL, (Text("18 °C"),), tool_call_id="call_1"),
    Message(Role.TOOL, (Text("24 °C"),), tool_call_id="call_2"),
    Message.of(Role.SYSTEM, "Answer in Celsius."),
    Message(Role.USER, (Text("And?"),), name="Ada"),
)

requests = st.builds(
    ChatRequest,
    model=st.just("gpt-5"),
    messages=st.sampled_from([CONVERSATION, CONVERSATION[:1] + CONVERSATION[-1:], (Message(Role.USER, ()),)]),
    max_output_tokens=st.none() | st.integers(1, 9999),
    temperature=st.none() | st.floats(0, 1),
    top_p=st.none() | st.floats(0, 1),
    stop=st.lists(st.text(min_size=1), max_size=4).map(tuple),
    tools=st.sampled_from([(), (WEATHER,), (Tool("now"), msgspec.structs.replace(WEATHER, strict=True))]),
    tool_choice=st.none()
    | st.builds(ToolChoice, st.sampled_from(["auto", "none", "required"]), st.sampled_from([None, "get_weather"])),
    parallel_tool_calls=st.none() | st.booleans(),
    choices=st.integers(1, 128),
    logprobs=st.booleans(),
    top_logprobs=st.none() | st.integers(0, 20),
    logit_bias=st.dictionaries(st.integers(0, 200_000).map(str), st.integers(-100, 100), max_size=3),
    verbosity=st.sampled_from([None, "low", "medium", "high"]),
    store=st.none() | st.booleans(),
    reasoning_effort=st.sampled_from([None, "none", "minimal", "low", "medium", "high"]),
    response_format=st.sampled_from(
        [None, ResponseFormat(), ResponseFormat("json_schema", "a", {"type": "object"}, strict=True)]
    ),
)


@pytest.fixture(scope="module")
def openai_request() -> Draft202012Validator:
    if not SPEC.exists():
        pytest.skip(f"OpenAI's API description is not at {SPEC}")
    spec = json.loads(gzip.decompress(SPEC.read_bytes()))
    registry = Registry().with_resource("spec", DRAFT202012.create_resource(spec))
    return Draft202012Validator({"$ref": "spec#/components/schemas/CreateChatCompletionRequest"}, registry=registry)


@given(
    request=requests,
    stream=st.booleans(),
    limit_field=st.sampled_from(["max_tokens", "max_completion_tokens"]),
    sampling=st.none() | st.integers(-2, 2),
    json_object=st.booleans(),
)
def test_openai_requests_are_as_described(openai_request, request, stream, limit_field, sampling, json_object):
    request = msgspec.structs.replace(request, seed=sampling, presence_penalty=sampling, frequency_penalty=sampling)
    if json_object:
        request = msgspec.structs.replace(request, response_format=ResponseFormat("json_object"))
    openai_request.validate(json.loads(openai_wire.encode(request, stream=stream, limit_field=limit_field)))


def read_through(value: object) -> None:
    """Look at every item: pydantic checks what is declared as an Iterable only while it is read."""
    if isinstance(value, dict):
        for item in value.values():
            read_through(item)
    elif isinstance(value, Iterable) and not isinstance(value, str):
        for item in value:
            read_through(item)


@given(request=requests, stream=st.booleans())
def test_anthropic_requests_are_as_its_client_describes_them(request, stream):
    body = json.loads(anthropic_wire.encode(request, stream=stream))
    # The client's own types no longer name these two, which its older models still take.
    body.pop("temperature", None)
    body.pop("top_p", None)
    assert set(body) <= {*MessageCreateParamsBase.__annotations__, "stream"}
    read_through(ANTHROPIC_REQUEST[stream].validate_python(body))


def test_openai_is_sent_the_conversation():
    body = json.loads(openai_wire.encode(ChatRequest("gpt-5", CONVERSATION), stream=False, limit_field="max_tokens"))
    assert [message["role"] for message in body["messages"]] == [message.role.value for message in CONVERSATION]
    assert body["messages"][0]["content"] == "You are terse."
    assert body["messages"][1]["content"][1]["image_url"] == {"url": "https://example.test/cat.png", "detail": "low"}
    assert body["messages"][3]["tool_calls"][1]["function"] == {"name": "get_weather", "arguments": '{"city":"Rome"}'}
    assert body["messages"][4] == {"role": "tool", "content": "18 °C", "tool_call_id": "call_1"}
    assert body["messages"][7]["name"] == "Ada"
    assert "stream" not in body
    assert "max_tokens" not in body


def test_openai_streams_always_ask_for_their_usage():
    body = json.loads(openai_wire.encode(ChatRequest("gpt-5", CONVERSATION), stream=True, limit_field="max_tokens"))
    assert body["stream"] is True
    assert body["stream_options"] == {"include_usage": True}


def test_anthropic_is_sent_the_conversation():
    body = json.loads(anthropic_wire.encode(ChatRequest("claude", CONVERSATION, tools=(WEATHER,)), stream=False))
    assert body["system"] == "You are terse.\n\nAnswer in Celsius."
    assert body["max_tokens"] == anthropic_wire.DEFAULT_MAX_TOKENS
    assert [turn["role"] for turn in body["messages"]] == ["user", "assistant", "user"]
    assert all(one["role"] != two["role"] for one, two in itertools.pairwise(body["messages"]))
    asked, called, answered = (turn["content"] for turn in body["messages"])
    assert asked[1]["source"] == {"type": "url", "url": "https://example.test/cat.png"}
    assert asked[2]["source"] == {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}
    assert called[1] == {"type": "tool_use", "id": "call_1", "name": "get_weather", "input": {"city": "Paris"}}
    assert [block["type"] for block in answered] == ["tool_result", "tool_result", "text"]
    assert answered[1]["tool_use_id"] == "call_2"
    assert body["tools"][0]["input_schema"] == WEATHER.parameters


@pytest.mark.parametrize(
    "choice,parallel,wire",
    [
        (None, None, {"type": "auto"}),
        (None, False, {"type": "auto", "disable_parallel_tool_use": True}),
        (ToolChoice("required"), True, {"type": "any"}),
        (ToolChoice("none"), False, {"type": "none"}),
        (ToolChoice(name="get_weather"), None, {"type": "tool", "name": "get_weather"}),
    ],
)
def test_anthropic_is_told_which_tools_to_use(choice, parallel, wire):
    request = ChatRequest("claude", CONVERSATION, tools=(WEATHER,), tool_choice=choice, parallel_tool_calls=parallel)
    assert json.loads(anthropic_wire.encode(request, stream=False))["tool_choice"] == wire


@pytest.mark.parametrize(
    "setting",
    [
        {"seed": 7},
        {"presence_penalty": 0.5},
        {"frequency_penalty": 0.5},
        {"response_format": ResponseFormat("json_object")},
        {"reasoning_effort": "heroic"},
    ],
)
def test_anthropic_is_not_asked_for_what_it_cannot_do(setting):
    with pytest.raises(UnsupportedFeature) as caught:
        anthropic_wire.encode(ChatRequest("claude", CONVERSATION, **setting), stream=False)
    assert caught.value.fields["field"] in setting


@pytest.mark.parametrize("arguments", ["{", "[]", '"Paris"', "null", pytest.param('{"a":' + "[" * 100_000, id="deep")])
def test_anthropic_takes_no_arguments_that_are_not_an_object(arguments):
    call = Message(Role.ASSISTANT, (), (ToolCall("call_1", "get_weather", arguments),))
    with pytest.raises(ProviderRejected):
        anthropic_wire.encode(ChatRequest("claude", (*CONVERSATION, call)), stream=False)
