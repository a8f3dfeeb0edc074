"""The fake provider's side of Anthropic's Messages API."""

from functools import lru_cache
from typing import Any

import msgspec

from omni_core.domain.llm.model import FinishReason, TokenUsage
from omni_core.testing.upstream.rendering import ID, Asked, Rendered, text_of
from omni_core.testing.upstream.scripts import Script


class _Message(msgspec.Struct):
    role: str
    content: Any


class _Request(msgspec.Struct):
    model: str
    max_tokens: int
    messages: list[_Message]
    stream: bool = False


_DECODER = msgspec.json.Decoder(_Request)
_SIGNATURE = "c2lnbmF0dXJl"
_TYPES = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    529: "overloaded_error",
}
_STOP = {
    FinishReason.STOP: "end_turn",
    FinishReason.LENGTH: "max_tokens",
    FinishReason.TOOL_CALLS: "tool_use",
    FinishReason.CONTENT_FILTER: "refusal",
}


class AnthropicWire:
    """POST /v1/messages."""

    name = "anthropic"

    def read(self, body: bytes) -> Asked:
        request = _DECODER.decode(body)
        said = next((m.content for m in reversed(request.messages) if m.role == "user"), "")
        return Asked(
            model=request.model,
            stream=request.stream,
            include_usage=False,  # its usage is part of its own events
            limit=request.max_tokens,
            last_user_text=text_of(said),
        )

    def render(self, script: Script, choices: int = 1, *, logprobs: bool = False) -> Rendered:
        return _render(script)

    def error(self, status: int, message: str) -> bytes:
        kind = _TYPES.get(status, "api_error" if status >= 500 else "invalid_request_error")
        return msgspec.json.encode({"type": "error", "error": {"type": kind, "message": message}, "request_id": None})

    def error_event(self, message: str) -> bytes:
        return b"event: error\ndata: " + self.error(529, message) + b"\n\n"

    def key(self, headers: dict[str, str]) -> str | None:
        return headers.get("x-api-key")


@lru_cache(maxsize=512)
def _render(script: Script) -> Rendered:
    blocks: list[dict[str, Any]] = []
    if script.reasoning:
        blocks.append({"type": "thinking", "thinking": script.reasoning, "signature": _SIGNATURE})
    if script.text:
        blocks.append({"type": "text", "text": script.text})
    blocks += [
        {"type": "tool_use", "id": call.id, "name": call.name, "input": msgspec.json.decode(call.arguments)}
        for call in script.tool_calls
    ]
    stop = {"stop_reason": _STOP[script.finish_reason], "stop_sequence": None}
    body = _message(content=blocks, **stop, **_usage(script.usage))
    opening = _message(content=[], stop_reason=None, stop_sequence=None, **_usage(script.usage, output_tokens=1))
    events = [_event("message_start", message=opening), _event("ping")]
    if script.reasoning:
        deltas = [{"type": "thinking_delta", "thinking": thought} for thought in script.thoughts()]
        deltas.append({"type": "signature_delta", "signature": _SIGNATURE})
        events += _block(0, {"type": "thinking", "thinking": "", "signature": ""}, deltas)
    if script.text:
        deltas = [{"type": "text_delta", "text": chunk} for chunk in script.chunks()]
        events += _block(1 if script.reasoning else 0, {"type": "text", "text": ""}, deltas)
    for call, block in zip(script.tool_calls, blocks[len(blocks) - len(script.tool_calls) :], strict=True):
        index = blocks.index(block)
        half = len(call.arguments) // 2
        # Like the real one: an empty input has no delta.
        pieces = (call.arguments[:half], call.arguments[half:]) if call.arguments != "{}" else ()
        deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in pieces]
        events += _block(index, {**block, "input": {}}, deltas)
    events.append(_event("message_delta", delta=stop, **_usage(script.usage)))
    return Rendered(msgspec.json.encode(body), tuple(events), end_event=_event("message_stop"))


def _block(index: int, opening: dict[str, Any], deltas: list[dict[str, str]]) -> list[bytes]:
    return [
        _event("content_block_start", index=index, content_block=opening),
        *(_event("content_block_delta", index=index, delta=delta) for delta in deltas),
        _event("content_block_stop", index=index),
    ]


def _message(**fields: Any) -> dict[str, Any]:
    return {"id": "msg_" + ID.decode(), "type": "message", "role": "assistant", "model": "fake-1", **fields}


def _event(name: str, **fields: Any) -> bytes:
    return b"event: " + name.encode() + b"\ndata: " + msgspec.json.encode({"type": name, **fields}) + b"\n\n"


def _usage(usage: TokenUsage | None, output_tokens: int | None = None) -> dict[str, Any]:
    """Anthropic counts cached and cache-writing input beside `input_tokens`, not within."""
    if usage is None:
        return {}
    return {
        "usage": {
            "input_tokens": usage.input_tokens - usage.cached_input_tokens - usage.cache_write_tokens,
            "cache_read_input_tokens": usage.cached_input_tokens,
            "cache_creation_input_tokens": usage.cache_write_tokens,
            "output_tokens": usage.output_tokens if output_tokens is None else output_tokens,
            "output_tokens_details": {"thinking_tokens": usage.reasoning_tokens},
        }
    }
