"""The fake provider's side of OpenAI's chat completions."""

from functools import lru_cache
from typing import Any

import msgspec

from omni_core.domain.llm.model import TokenUsage
from omni_core.testing.upstream.rendering import ID, Asked, Rendered, text_of
from omni_core.testing.upstream.scripts import Script

_CREATED = 1_760_000_000


class _Options(msgspec.Struct):
    include_usage: bool = False


class _Message(msgspec.Struct):
    role: str
    content: Any = None


class _Request(msgspec.Struct):
    model: str
    messages: list[_Message]
    stream: bool = False
    stream_options: _Options | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None


_DECODER = msgspec.json.Decoder(_Request)
_TYPES = {401: "authentication_error", 404: "not_found_error", 429: "rate_limit_exceeded"}


class OpenAIWire:
    """POST /v1/chat/completions."""

    name = "openai"

    def read(self, body: bytes) -> Asked:
        request = _DECODER.decode(body)
        said = next((m.content for m in reversed(request.messages) if m.role == "user"), "")
        return Asked(
            model=request.model,
            stream=request.stream,
            include_usage=request.stream_options is not None and request.stream_options.include_usage,
            limit=request.max_tokens if request.max_completion_tokens is None else request.max_completion_tokens,
            last_user_text=text_of(said),
        )

    def render(self, script: Script) -> Rendered:
        return _render(script)

    def error(self, status: int, message: str) -> bytes:
        kind = _TYPES.get(status, "server_error" if status >= 500 else "invalid_request_error")
        return msgspec.json.encode({"error": {"message": message, "type": kind, "param": None, "code": None}})

    def error_event(self, message: str) -> bytes:
        return b"data: " + self.error(500, message) + b"\n\n"

    def key(self, headers: dict[str, str]) -> str | None:
        return headers.get("authorization", "").removeprefix("Bearer ") or None


@lru_cache(maxsize=512)
def _render(script: Script) -> Rendered:
    calls = [
        {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
        for call in script.tool_calls
    ]
    message = {"role": "assistant", "content": script.text or None, "refusal": None}
    if script.reasoning:
        message[script.reasoning_field] = script.reasoning
    whole = _object(
        "chat.completion",
        choices=[_choice(script.finish_reason.value, message={**message, "tool_calls": calls} if calls else message)],
        **({} if script.usage is None else {"usage": _usage(script.usage)}),
    )
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
    deltas += [{script.reasoning_field: thought} for thought in script.thoughts()]
    deltas += [{"content": chunk} for chunk in script.chunks()]
    for index, call in enumerate(calls):
        arguments = script.tool_calls[index].arguments
        opening = {"name": script.tool_calls[index].name, "arguments": ""}
        deltas.append({"tool_calls": [{"index": index, **call, "function": opening}]})
        deltas += [
            {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}
            for piece in (arguments[: len(arguments) // 2], arguments[len(arguments) // 2 :])
        ]
    events = [
        _event(choices=[_choice(None, delta=delta)], **_usage_so_far(script, number, len(deltas) - 1))
        for number, delta in enumerate(deltas)
    ]
    events.append(_event(choices=[_choice(script.finish_reason.value, delta={})], **_usage_so_far(script, 1, 1)))
    usage_event = b"" if script.usage is None else _event(choices=[], usage=_usage(script.usage))
    return Rendered(msgspec.json.encode(whole), tuple(events), usage_event, b"data: [DONE]\n\n")


def _usage_so_far(script: Script, produced: int, of: int) -> dict[str, Any]:
    if script.usage is None or not script.running_usage:
        return {}
    output_tokens = script.usage.output_tokens * produced // max(of, 1)
    return {"usage": _usage(msgspec.structs.replace(script.usage, output_tokens=output_tokens, reasoning_tokens=0))}


def _object(kind: str, **fields: Any) -> dict[str, Any]:
    return {"id": "chatcmpl-" + ID.decode(), "object": kind, "created": _CREATED, "model": "fake-1", **fields}


def _event(**fields: Any) -> bytes:
    return b"data: " + msgspec.json.encode(_object("chat.completion.chunk", **fields)) + b"\n\n"


def _choice(finish_reason: str | None, **content: Any) -> dict[str, Any]:
    return {"index": 0, **content, "logprobs": None, "finish_reason": finish_reason}


def _usage(usage: TokenUsage) -> dict[str, Any]:
    return {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.input_tokens + usage.output_tokens,
        "prompt_tokens_details": {
            "cached_tokens": usage.cached_input_tokens,
            "cache_write_tokens": usage.cache_write_tokens,
            "audio_tokens": usage.audio_input_tokens,
        },
        "completion_tokens_details": {
            "reasoning_tokens": usage.reasoning_tokens,
            "audio_tokens": usage.audio_output_tokens,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }
