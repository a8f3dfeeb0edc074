"""What is sent to an OpenAI-compatible endpoint: POST /chat/completions."""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from omni_core.domain.llm.model import (
    ChatRequest,
    Image,
    Message,
    Part,
    ResponseFormat,
    Role,
    Tool,
    ToolCall,
    ToolChoice,
)


class _Function(msgspec.Struct, omit_defaults=True):
    name: str
    arguments: str | None = None
    description: str = ""
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class _Called(msgspec.Struct):
    id: str
    function: _Function
    type: str = "function"


class _Declared(msgspec.Struct):
    function: _Function
    type: str = "function"


class _Message(msgspec.Struct, omit_defaults=True):
    role: str
    content: str | list[dict[str, Any]] | None = None
    name: str | None = None
    tool_calls: list[_Called] | None = None
    tool_call_id: str | None = None


class _Body(msgspec.Struct, omit_defaults=True):
    model: str
    messages: list[_Message]
    stream: bool = False
    stream_options: dict[str, bool] | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    stop: tuple[str, ...] = ()
    seed: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    reasoning_effort: str | None = None
    tools: list[_Declared] | None = None
    tool_choice: str | _Declared | None = None
    parallel_tool_calls: bool | None = None
    response_format: dict[str, Any] | None = None
    n: int | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None
    logit_bias: dict[str, float] | None = None
    verbosity: str | None = None
    store: bool | None = None


_ENCODER = msgspec.json.Encoder()
_WITH_USAGE = {"include_usage": True}

LimitField = Literal["max_tokens", "max_completion_tokens"]


def encode(
    request: ChatRequest, extra: Mapping[str, Any] | None = None, *, stream: bool, limit_field: LimitField
) -> bytes:
    """Return the body, with the fields of `extra` as they are.

    A stream always asks for its usage, whatever the caller's own client asked for.
    """
    body = _Body(
        model=request.model,
        messages=[_message(message) for message in request.messages],
        stream=stream,
        stream_options=_WITH_USAGE if stream else None,
        max_tokens=request.max_output_tokens if limit_field == "max_tokens" else None,
        max_completion_tokens=request.max_output_tokens if limit_field == "max_completion_tokens" else None,
        temperature=request.temperature,
        top_p=request.top_p,
        stop=request.stop,
        seed=request.seed,
        presence_penalty=request.presence_penalty,
        frequency_penalty=request.frequency_penalty,
        reasoning_effort=request.reasoning_effort,
        tools=[_tool(tool) for tool in request.tools] or None,
        tool_choice=None if request.tool_choice is None else _choice(request.tool_choice),
        parallel_tool_calls=request.parallel_tool_calls if request.tools else None,
        response_format=None if request.response_format is None else _format(request.response_format),
        store=request.store,
    )
    if request.special_fields:
        body.n = request.choices if request.choices > 1 else None
        body.logprobs, body.top_logprobs = request.logprobs or None, request.top_logprobs
        body.logit_bias, body.verbosity = request.logit_bias or None, request.verbosity
    encoded = _ENCODER.encode(body)
    # None of them has a name that Omni gives, so that no member is there twice.
    return encoded[:-1] + b"," + _ENCODER.encode(extra)[1:] if extra else encoded


def _message(message: Message) -> _Message:
    return _Message(
        role=message.role.value,
        content=_content(message),
        name=None if message.role is Role.TOOL else message.name,
        tool_calls=[_call(call) for call in message.tool_calls] or None,
        tool_call_id=message.tool_call_id,
    )


def _content(message: Message) -> str | list[dict[str, Any]] | None:
    match message.content:
        case ():
            return None if message.tool_calls else ""
        case (part,) if not isinstance(part, Image):
            return part.text  # a plain string is what every server and chat template takes
        case parts:
            return [_part(part) for part in parts]


def _part(part: Part) -> dict[str, Any]:
    if isinstance(part, Image):
        return {"type": "image_url", "image_url": {"url": part.url, "detail": part.detail}}
    return {"type": "text", "text": part.text}


def _call(call: ToolCall) -> _Called:
    return _Called(call.id, _Function(call.name, call.arguments))


def _tool(tool: Tool) -> _Declared:
    return _Declared(
        _Function(tool.name, description=tool.description, parameters=tool.parameters or None, strict=tool.strict)
    )


def _choice(choice: ToolChoice) -> str | _Declared:
    return choice.mode if choice.name is None else _Declared(_Function(choice.name))


def _format(wanted: ResponseFormat) -> dict[str, Any]:
    if wanted.kind != "json_schema":
        return {"type": wanted.kind}
    schema = {"name": wanted.name, "schema": wanted.schema or {}}
    return {
        "type": "json_schema",
        "json_schema": schema if wanted.strict is None else {**schema, "strict": wanted.strict},
    }
