"""The fake provider's side of OpenAI's chat completions."""

from collections.abc import Iterator
from functools import lru_cache
from itertools import zip_longest
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
    n: int = 1
    logprobs: bool = False


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
            choices=request.n,
            logprobs=request.logprobs,
        )

    def render(self, script: Script, choices: int = 1, *, logprobs: bool = False) -> Rendered:
        return _render(script, choices, logprobs)

    def error(self, status: int, message: str) -> bytes:
        kind = _TYPES.get(status, "server_error" if status >= 500 else "invalid_request_error")
        return msgspec.json.encode({"error": {"message": message, "type": kind, "param": None, "code": None}})

    def error_event(self, message: str) -> bytes:
        return b"data: " + self.error(500, message) + b"\n\n"

    def key(self, headers: dict[str, str]) -> str | None:
        return headers.get("authorization", "").removeprefix("Bearer ") or None


@lru_cache(maxsize=512)
def _render(script: Script, choices: int, logprobs: bool) -> Rendered:  # noqa: FBT001 - a cache wants them in order
    answers = [_Answer.of(script, index, logprobs=logprobs) for index in range(choices)]
    whole = _object(
        "chat.completion",
        choices=[answer.whole for answer in answers],
        **({} if script.usage is None else {"usage": _usage(script.usage)}),
    )
    # The choices take turns.
    turns = [piece for pieces in zip_longest(*(answer.pieces for answer in answers)) for piece in pieces if piece]
    usage_event = b"" if script.usage is None else _event(choices=[], usage=_usage(script.usage))
    last = len(turns) - 1 - len(answers)
    events = tuple(
        _event(choices=[piece], **_usage_so_far(script, min(number, last), last)) for number, piece in enumerate(turns)
    )
    return Rendered(msgspec.json.encode(whole), events, usage_event, b"data: [DONE]\n\n")


class _Answer(msgspec.Struct):
    """A choice, whole and in pieces."""

    whole: dict[str, Any]
    pieces: list[dict[str, Any]]

    @classmethod
    def of(cls, script: Script, index: int, *, logprobs: bool) -> "_Answer":
        lead = f"{index}: " if index else ""
        deltas = [{"role": "assistant", "content": ""}, *([{"content": lead}] if lead else [])]
        deltas += [{script.reasoning_field: thought} for thought in script.thoughts()]
        deltas += [{"content": chunk} for chunk in script.chunks()]
        calls = _calls(script)
        message = {"role": "assistant", "content": lead + script.text or None, "refusal": None}
        if script.reasoning:
            message[script.reasoning_field] = script.reasoning
        return cls(
            _choice(
                script.finish_reason.value,
                index,
                [lead + script.text] if logprobs else None,
                message={**message, "tool_calls": calls} if calls else message,
            ),
            [
                *(
                    _choice(None, index, [d["content"]] if logprobs and d.get("content") else None, delta=d)
                    for d in deltas
                ),
                *(_choice(None, index, delta=delta) for delta in _call_deltas(script, calls)),
                _choice(script.finish_reason.value, index, delta={}),
            ],
        )


def _calls(script: Script) -> list[dict[str, Any]]:
    return [
        {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
        for call in script.tool_calls
    ]


def _call_deltas(script: Script, calls: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for index, call in enumerate(calls):
        arguments = script.tool_calls[index].arguments
        opening = {"name": script.tool_calls[index].name, "arguments": ""}
        yield {"tool_calls": [{"index": index, **call, "function": opening}]}
        for piece in (arguments[: len(arguments) // 2], arguments[len(arguments) // 2 :]):
            yield {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}


def _usage_so_far(script: Script, produced: int, of: int) -> dict[str, Any]:
    if script.usage is None or not script.running_usage:
        return {}
    output_tokens = script.usage.output_tokens * produced // max(of, 1)
    return {"usage": _usage(msgspec.structs.replace(script.usage, output_tokens=output_tokens, reasoning_tokens=0))}


def _object(kind: str, **fields: Any) -> dict[str, Any]:
    return {"id": "chatcmpl-" + ID.decode(), "object": kind, "created": _CREATED, "model": "fake-1", **fields}


def _event(**fields: Any) -> bytes:
    return b"data: " + msgspec.json.encode(_object("chat.completion.chunk", **fields)) + b"\n\n"


def _choice(
    finish_reason: str | None, index: int = 0, tokens: list[str] | None = None, **content: Any
) -> dict[str, Any]:
    logprobs = tokens and {"content": [_token(token) for token in tokens], "refusal": None}
    return {"index": index, **content, "logprobs": logprobs, "finish_reason": finish_reason}


def _token(token: str) -> dict[str, Any]:
    own = {"token": token, "logprob": -0.25, "bytes": list(token.encode())}
    return {**own, "top_logprobs": [own]}


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
