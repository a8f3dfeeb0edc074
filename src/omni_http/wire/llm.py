"""The OpenAI chat protocol, as Omni serves it: requests to the message model."""

from collections.abc import Mapping
from operator import attrgetter
from typing import Annotated, Any, ClassVar, Literal

import msgspec
from msgspec import Meta

from omni_core.domain.llm.api import (
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
from omni_core.domain.llm.errors import InvalidRequest, UnsupportedFeature
from omni_core.domain.llm.extra import EXTRA_NAME_PATTERN, MOST_CHOICES

# Fields that not every provider takes: those that the message model has a name for, and those that go as they are.
_NAMED = {
    "n": "choices",
    "logprobs": "logprobs",
    "top_logprobs": "top_logprobs",
    "logit_bias": "logit_bias",
    "verbosity": "verbosity",
    "store": "store",
}
_SPECIAL = (
    *_NAMED,
    *("user", "metadata", "service_tier", "prompt_cache_key", "safety_identifier", "prediction"),
)
_special_of = attrgetter(*_SPECIAL)
_NOTHING_SPECIAL = (None,) * len(_SPECIAL)
_ROLES = {**{role.value: role for role in Role}, "developer": Role.SYSTEM}


def _is(field: str, word: str) -> dict[str, Any]:
    return {"properties": {field: {"const": word}}, "required": [field]}


def _has(field: str) -> dict[str, Any]:
    return {"properties": {field: {"not": {"type": "null"}}}, "required": [field]}


class TextPart(msgspec.Struct, tag_field="type", tag="text", forbid_unknown_fields=True):
    """Words."""

    text: str


class ImageUrl(msgspec.Struct, forbid_unknown_fields=True):
    """Where the picture is: https, or data: with base64."""

    url: Annotated[str, Meta(pattern="^(https?://|data:image/)", max_length=20_000_000)]
    detail: Literal["auto", "low", "high"] = "auto"


class ImagePart(msgspec.Struct, tag_field="type", tag="image_url", forbid_unknown_fields=True):
    """A picture."""

    image_url: ImageUrl


class FunctionCall(msgspec.Struct, forbid_unknown_fields=True):
    """A tool and its arguments, JSON as the model wrote it."""

    name: str
    arguments: str


class WireToolCall(msgspec.Struct, forbid_unknown_fields=True):
    """A model's wish to use a tool."""

    id: str
    function: FunctionCall
    type: Literal["function"] = "function"


class WireMessage(msgspec.Struct, forbid_unknown_fields=True):
    """One turn of the conversation."""

    more_schema: ClassVar[dict[str, Any]] = {
        "allOf": [
            {"if": _is("role", "assistant"), "else": _has("content")},
            {"if": _is("role", "tool"), "then": _has("tool_call_id")},
        ]
    }

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str | list[TextPart | ImagePart] | None = None
    name: str | None = None
    tool_calls: list[WireToolCall] | None = None
    tool_call_id: str | None = None
    refusal: str | None = None
    audio: Any = None
    annotations: Any = None


class WireFunction(msgspec.Struct, forbid_unknown_fields=True):
    """A function that the model may ask for."""

    name: Annotated[str, Meta(pattern="^[A-Za-z0-9_-]{1,64}$")]
    description: str = ""
    parameters: dict[str, Any] = {}
    strict: bool | None = None


class WireTool(msgspec.Struct, forbid_unknown_fields=True):
    """A tool."""

    function: WireFunction
    type: Literal["function"] = "function"


class FunctionName(msgspec.Struct, forbid_unknown_fields=True):
    """The function to use."""

    name: str


class NamedToolChoice(msgspec.Struct, forbid_unknown_fields=True):
    """Forces one tool."""

    function: FunctionName
    type: Literal["function"] = "function"


class JsonSchema(msgspec.Struct, forbid_unknown_fields=True):
    """The schema that the answer has to follow."""

    name: str
    schema: dict[str, Any] | None = None
    description: str | None = None
    strict: bool | None = None


class WireResponseFormat(msgspec.Struct, forbid_unknown_fields=True):
    """The form of the answer."""

    more_schema: ClassVar[dict[str, Any]] = {"if": _is("type", "json_schema"), "then": _has("json_schema")}

    type: Literal["text", "json_object", "json_schema"]
    json_schema: JsonSchema | None = None


class StreamOptions(msgspec.Struct, forbid_unknown_fields=True):
    """What a stream carries besides the answer."""

    include_usage: bool = False
    include_obfuscation: bool = False


class ChatCompletionRequest(msgspec.Struct, forbid_unknown_fields=True):
    """A chat completion, in the OpenAI protocol.

    `n`, `logprobs`, `top_logprobs`, `logit_bias`, `verbosity`, `store`, `prediction` and members that are not listed
    here are passed on to providers that take them, and refused by name for others. `user`, `metadata`, `service_tier`,
    `prompt_cache_key` and `safety_identifier` have no effect there. What Omni does not do is refused, not ignored.
    """

    takes_other_members: ClassVar[bool] = True
    more_schema: ClassVar[dict[str, Any]] = {
        "propertyNames": {"pattern": EXTRA_NAME_PATTERN},
        "additionalProperties": {
            "description": "A vendor's own field, such as `top_k`, for models whose provider takes it."
        },
    }
    extra: ClassVar[Mapping[str, Any]] = {}

    model: Annotated[str, Meta(description="A model of GET /v1/models.", examples=["omni-brain"])]
    messages: Annotated[list[WireMessage], Meta(min_length=1, max_length=10_000)]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_tokens: Annotated[int, Meta(ge=1)] | None = None
    max_completion_tokens: Annotated[int, Meta(ge=1)] | None = None
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    presence_penalty: Annotated[float, Meta(ge=-2, le=2)] | None = None
    frequency_penalty: Annotated[float, Meta(ge=-2, le=2)] | None = None
    seed: int | None = None
    stop: str | Annotated[list[str], Meta(max_length=4)] | None = None
    tools: list[WireTool] | None = None
    tool_choice: Literal["none", "auto", "required"] | NamedToolChoice | None = None
    parallel_tool_calls: bool | None = None
    response_format: WireResponseFormat | None = None
    reasoning_effort: str | None = None
    n: Annotated[int, Meta(ge=1, le=MOST_CHOICES)] | None = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int, Meta(ge=0, le=20)] | None = None
    logit_bias: Annotated[dict[str, Annotated[float, Meta(ge=-100, le=100)]], Meta(max_length=1024)] | None = None
    verbosity: Annotated[str, Meta(max_length=64)] | None = None
    modalities: list[str] | None = None
    audio: Any = None
    prediction: Any = None
    store: bool | None = None
    user: str | None = None
    metadata: dict[str, Any] | None = None
    service_tier: str | None = None
    prompt_cache_key: str | None = None
    safety_identifier: str | None = None

    def to_request(self) -> ChatRequest:
        """Return the same in the message model; raise `UnsupportedFeature` or `InvalidRequest`, naming the field."""
        self._refuse_what_is_not_done()
        choice = self.tool_choice
        wanted = self.response_format
        request = ChatRequest(
            model=self.model,
            messages=tuple(_message(message, index) for index, message in enumerate(self.messages)),
            max_output_tokens=self.max_completion_tokens or self.max_tokens,
            temperature=self.temperature,
            top_p=self.top_p,
            stop=(self.stop,) if isinstance(self.stop, str) else tuple(self.stop or ()),
            seed=self.seed,
            presence_penalty=self.presence_penalty,
            frequency_penalty=self.frequency_penalty,
            reasoning_effort=self.reasoning_effort,
            tools=tuple(_tool(tool.function) for tool in self.tools or ()),
            tool_choice=_tool_choice(choice) if choice is not None else None,
            parallel_tool_calls=self.parallel_tool_calls,
            response_format=_response_format(wanted) if wanted is not None else None,
        )
        # In nearly every request there are none, and it is told at once.
        is_plain = _special_of(self) == _NOTHING_SPECIAL and not self.extra
        return request if is_plain else self._with_special(request)

    def _with_special(self, request: ChatRequest) -> ChatRequest:
        special = {name: value for name in _SPECIAL if (value := getattr(self, name)) is not None}
        named = {field: special.pop(name) for name, field in _NAMED.items() if name in special}
        return msgspec.structs.replace(request, **named, extra={**special, **self.extra})

    def with_extra(self, extra: Mapping[str, Any]) -> "ChatCompletionRequest":
        """Return the same with members that are not among its fields."""
        return _Extended(**msgspec.structs.asdict(self), extra=extra)

    def _refuse_what_is_not_done(self) -> None:
        if self.modalities is not None and self.modalities != ["text"]:
            raise UnsupportedFeature("Omni returns text", field="modalities", allowed=["text"])
        if self.audio:
            raise UnsupportedFeature("Omni does not do audio", field="audio")


class _Extended(ChatCompletionRequest, kw_only=True):
    extra: Mapping[str, Any]  # type: ignore[misc]  # of its parent's instances it is the same: empty


def _message(wire: WireMessage, index: int) -> Message:
    content = wire.content
    if content is None:
        if wire.role != "assistant":
            field = f"messages[{index}].content"
            raise InvalidRequest(f"{field} is missing", field=field, allowed="text, or a list of parts")
        content = []
    if wire.role == "tool" and wire.tool_call_id is None:
        field = f"messages[{index}].tool_call_id"
        raise InvalidRequest(f"{field} is missing", field=field, allowed="the id of the tool call that this answers")
    parts = (
        (Text(content),)
        if isinstance(content, str)
        else tuple(
            Text(part.text) if isinstance(part, TextPart) else Image(part.image_url.url, part.image_url.detail)
            for part in content
        )
    )
    calls = tuple(ToolCall(call.id, call.function.name, call.function.arguments) for call in wire.tool_calls or ())
    role = _ROLES[wire.role]
    return Message(role, parts, calls, wire.tool_call_id, wire.name)


def _tool(wire: WireFunction) -> Tool:
    return Tool(wire.name, wire.description, wire.parameters, wire.strict)


def _tool_choice(wire: str | NamedToolChoice) -> ToolChoice:
    if isinstance(wire, NamedToolChoice):
        return ToolChoice("required", wire.function.name)
    return msgspec.convert({"mode": wire}, ToolChoice)


def _response_format(wire: WireResponseFormat) -> ResponseFormat:
    if wire.type == "json_schema":
        if wire.json_schema is None:
            field = "response_format.json_schema"
            raise InvalidRequest(f"{field} is missing", field=field, allowed="a name and a schema")
        schema = wire.json_schema
        return ResponseFormat("json_schema", schema.name, schema.schema, schema.strict)
    return ResponseFormat(wire.type)
