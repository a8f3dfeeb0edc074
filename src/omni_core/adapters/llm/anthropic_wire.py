"""What is sent to Anthropic: POST /v1/messages."""

from collections.abc import Mapping
from typing import Any

import msgspec

from omni_core.domain.llm.errors import ProviderRejected, UnsupportedFeature
from omni_core.domain.llm.model import ChatRequest, Image, Message, Part, ResponseFormat, Role, Text, Tool, ToolCall

DEFAULT_MAX_TOKENS = 4096
"""The output limit where the caller sets none: Anthropic demands one."""

_EFFORTS = {"minimal": "low", "low": "low", "medium": "medium", "high": "high", "xhigh": "xhigh", "max": "max"}
_CHOICES = {"auto": "auto", "required": "any", "none": "none"}


class _Body(msgspec.Struct, omit_defaults=True):
    model: str
    max_tokens: int
    messages: list[dict[str, Any]]
    system: str = ""
    stream: bool = False
    temperature: float | None = None
    top_p: float | None = None
    stop_sequences: tuple[str, ...] = ()
    tools: list[dict[str, Any]] | None = None
    tool_choice: dict[str, Any] | None = None
    thinking: dict[str, str] | None = None
    output_config: dict[str, Any] | None = None
    metadata: dict[str, str] | None = None


_ENCODER = msgspec.json.Encoder()


def encode(request: ChatRequest, extra: Mapping[str, Any] | None = None, *, stream: bool) -> bytes:
    """Return the body, with the fields of `extra` as they are.

    System turns, wherever they stand, become the one system prompt, as in Anthropic's own OpenAI-compatible endpoint.
    Temperature and top_p are passed on; the models that no longer take them refuse the request themselves. Raises
    `UnsupportedFeature` for a seed, penalties and free-form JSON, which Messages does not have. Of metadata it
    knows the `user_id` alone.
    """
    _check(request)
    own = dict(extra or {})
    metadata = own.pop("metadata", None)
    body = _ENCODER.encode(
        _Body(
            model=request.model,
            max_tokens=request.max_output_tokens or DEFAULT_MAX_TOKENS,
            messages=_turns(request.messages),
            system="\n\n".join(m.text for m in request.messages if m.role is Role.SYSTEM and m.text),
            stream=stream,
            temperature=request.temperature,
            top_p=request.top_p,
            stop_sequences=request.stop,
            tools=[_tool(tool) for tool in request.tools] or None,
            tool_choice=_tool_choice(request),
            thinking={"type": "disabled"} if request.reasoning_effort == "none" and "thinking" not in own else None,
            output_config=_output_config(request) or None,
            metadata=_metadata(metadata),
        )
    )
    return body[:-1] + b"," + _ENCODER.encode(own)[1:] if own else body


def _check(request: ChatRequest) -> None:
    wanted = request.response_format
    unsupported = {
        "seed": request.seed is not None,
        "presence_penalty": bool(request.presence_penalty),
        "frequency_penalty": bool(request.frequency_penalty),
        "response_format": wanted is not None and wanted.kind == "json_object",
        "reasoning_effort": request.reasoning_effort not in {None, "none", *_EFFORTS},
    }
    for field, present in unsupported.items():
        if present:
            raise UnsupportedFeature(f"Anthropic's models do not support this {field}", field=field)


def _metadata(given: object) -> dict[str, str] | None:
    user_id = given.get("user_id") if isinstance(given, Mapping) else None
    return {"user_id": user_id} if isinstance(user_id, str) else None


def _turns(messages: tuple[Message, ...]) -> list[dict[str, Any]]:
    """Return alternating turns: what a tool answers is said by the user, together with what the user adds."""
    turns: list[dict[str, Any]] = []
    for message in messages:
        if message.role is Role.SYSTEM:
            continue
        role = "assistant" if message.role is Role.ASSISTANT else "user"
        blocks = _blocks(message)
        if turns and turns[-1]["role"] == role:
            turns[-1]["content"] += blocks
        elif blocks:
            turns.append({"role": role, "content": blocks})
    return turns


def _blocks(message: Message) -> list[dict[str, Any]]:
    # Anthropic refuses empty text, which other providers accept.
    content = [_part(part) for part in message.content if not isinstance(part, Text) or part.text]
    if message.role is Role.TOOL:
        return [{"type": "tool_result", "tool_use_id": message.tool_call_id or "", "content": content}]
    return content + [_call(call) for call in message.tool_calls]


def _part(part: Part) -> dict[str, Any]:
    if isinstance(part, Text):
        return {"type": "text", "text": part.text}
    return {"type": "image", "source": _source(part)}


def _source(image: Image) -> dict[str, str]:
    head, comma, data = image.url.partition(",")
    if comma and head.startswith("data:") and head.endswith(";base64"):
        return {"type": "base64", "media_type": head.removeprefix("data:").split(";", 1)[0], "data": data}
    return {"type": "url", "url": image.url}


def _call(call: ToolCall) -> dict[str, Any]:
    try:
        arguments = msgspec.json.decode(call.arguments or "{}", type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError) as error:
        raise ProviderRejected(
            f"The arguments of tool call {call.id!r} are not a JSON object, which Anthropic requires", field="messages"
        ) from error
    return {"type": "tool_use", "id": call.id, "name": call.name, "input": arguments}


def _tool(tool: Tool) -> dict[str, Any]:
    wire: dict[str, Any] = {"name": tool.name, "input_schema": {"type": "object", **tool.parameters}}
    if tool.description:
        wire["description"] = tool.description
    if tool.strict is not None:
        wire["strict"] = tool.strict
    return wire


def _tool_choice(request: ChatRequest) -> dict[str, Any] | None:
    if not request.tools:
        return None
    choice = request.tool_choice
    wire: dict[str, Any] = {"type": "auto" if choice is None else _CHOICES[choice.mode]}
    if choice is not None and choice.name is not None:
        wire = {"type": "tool", "name": choice.name}
    if request.parallel_tool_calls is False and wire["type"] != "none":
        wire["disable_parallel_tool_use"] = True
    return wire


def _output_config(request: ChatRequest) -> dict[str, Any]:
    config: dict[str, Any] = {}
    if request.reasoning_effort in _EFFORTS:
        config["effort"] = _EFFORTS[request.reasoning_effort]
    wanted: ResponseFormat | None = request.response_format
    if wanted is not None and wanted.kind == "json_schema":
        config["format"] = {"type": "json_schema", "schema": wanted.schema or {}}
    return config
