"""The OpenAI chat protocol, as Omni serves it: answers from the message model."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

from omni_core.domain.kernel.errors import OmniError
from omni_core.domain.llm.api import (
    ChatAnswer,
    ChatChoice,
    ChatDelta,
    ChatStream,
    FinishReason,
    Logprobs,
    Message,
    Model,
    TokenUsage,
)
from omni_http.problems import event_body, log_failure
from omni_http.wire.llm import FunctionCall, WireToolCall

_encode = msgspec.json.Encoder().encode
_DONE = b"data: [DONE]\n\n"
_OPENING = b'{"role":"assistant","content":""},"finish_reason":null}]'


class PromptDetails(msgspec.Struct, frozen=True):
    """Parts of the prompt's tokens."""

    cached_tokens: int
    audio_tokens: int


class CompletionDetails(msgspec.Struct, frozen=True):
    """Parts of the completion's tokens."""

    reasoning_tokens: int
    audio_tokens: int


class WireUsage(msgspec.Struct, frozen=True):
    """What the call used, in tokens."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: PromptDetails
    completion_tokens_details: CompletionDetails

    @classmethod
    def of(cls, usage: TokenUsage) -> "WireUsage":
        """Return a provider's figures in the protocol's form."""
        return cls(
            prompt_tokens=usage.input_tokens,
            completion_tokens=usage.output_tokens,
            total_tokens=usage.input_tokens + usage.output_tokens,
            prompt_tokens_details=PromptDetails(usage.cached_input_tokens, usage.audio_input_tokens),
            completion_tokens_details=CompletionDetails(usage.reasoning_tokens, usage.audio_output_tokens),
        )


class Answer(msgspec.Struct, frozen=True):
    """The assistant's turn. `content` is null where it holds tool calls alone."""

    content: str | None
    role: Literal["assistant"] = "assistant"
    refusal: str | None = None
    tool_calls: list[WireToolCall] | UnsetType = UNSET

    @classmethod
    def of(cls, message: Message) -> "Answer":
        """Return a turn in the protocol's form."""
        if not message.tool_calls:
            return cls(message.text)
        calls = [WireToolCall(call.id, FunctionCall(call.name, call.arguments)) for call in message.tool_calls]
        return cls(message.text or None, tool_calls=calls)


class Choice(msgspec.Struct, frozen=True):
    """An answer, and why it ended."""

    message: Answer
    finish_reason: FinishReason
    index: int = 0
    logprobs: Logprobs | None = None

    @classmethod
    def of(cls, choice: ChatChoice, index: int) -> "Choice":
        """Return a choice in the protocol's form."""
        return cls(Answer.of(choice.message), choice.finish_reason, index, choice.logprobs)


class ChatCompletion(msgspec.Struct, frozen=True):
    """A whole answer, of as many choices as were asked for."""

    id: str
    created: int
    model: str
    choices: list[Choice]
    usage: WireUsage
    object: str = "chat.completion"


class WireModel(msgspec.Struct, frozen=True):
    """A model that can be asked for."""

    id: str
    created: int
    owned_by: str
    context_length: int
    max_output_tokens: int
    object: str = "model"

    @classmethod
    def of(cls, model: Model) -> "WireModel":
        """Return a model of the catalogue in the protocol's form."""
        created = int(model.created_at.timestamp())
        return cls(model.name, created, model.provider, model.context_length, model.max_output_tokens)


class ModelList(msgspec.Struct, frozen=True):
    """The models that can be asked for."""

    data: list[WireModel]
    object: str = "list"


def completion(answer: ChatAnswer) -> bytes:
    """Encode a whole answer."""
    response = answer.response
    return _encode(
        ChatCompletion(
            id=f"chatcmpl-{answer.id.hex}",
            created=int(answer.created_at.timestamp()),
            model=answer.model,
            choices=[Choice.of(choice, index) for index, choice in enumerate(response.choices)],
            usage=WireUsage.of(response.usage),
        )
    )


async def completion_chunks(stream: ChatStream, *, include_usage: bool, request_id: str) -> AsyncGenerator[bytes, None]:
    """Encode a stream as server-sent events. An error on the way becomes an event of its own, without `[DONE]`.

    Events that are there at the same time, those of the end above all, leave together.
    """
    head = _encode(
        {
            "id": f"chatcmpl-{stream.id.hex}",
            "object": "chat.completion.chunk",
            "created": int(stream.created_at.timestamp()),
            "model": stream.model,
        }
    )[:-1]
    # Everything but the delta is the same in each event, so it is encoded once.
    opening = b"data: " + head + b',"choices":[{"index":'
    before = {0: opening + b'0,"delta":'}
    after = (b',"usage":null' if include_usage else b"") + b"}\n\n"
    events = [before[0] + _OPENING + after]
    usage: TokenUsage | None = None
    try:
        async with aclosing(stream):
            async for delta in stream:
                if delta.index not in before:
                    before[delta.index] = opening + b'%d,"delta":' % delta.index
                    events.append(before[delta.index] + _OPENING + after)
                events += [before[delta.index] + body + b"]" + after for body in _deltas(delta)]
                if delta.usage is not None:
                    usage = delta.usage
                elif delta.finish_reason is None:
                    yield b"".join(events)
                    events.clear()
    except OmniError as error:
        # The status was sent long ago, so nobody else will log it.
        log_failure(error, error, request_id, model=stream.model)
        events.append(b'data: {"error":' + event_body(error, request_id) + b"}\n\n")
        yield b"".join(events)
        return
    if include_usage and usage is not None:
        events.append(b"data: " + head + b',"choices":[],"usage":' + _encode(WireUsage.of(usage)) + b"}\n\n")
    yield b"".join((*events, _DONE))


def _deltas(delta: ChatDelta) -> list[bytes]:
    bodies = []
    if delta.text:
        bodies.append(b'{"content":' + _encode(delta.text) + b'},"finish_reason":null}')
    if delta.tool_calls:
        calls = [
            {
                "index": call.index,
                **({"id": call.id, "type": "function"} if call.id else {}),
                "function": {**({"name": call.name} if call.name else {}), "arguments": call.arguments},
            }
            for call in delta.tool_calls
        ]
        bodies.append(b'{"tool_calls":' + _encode(calls) + b'},"finish_reason":null}')
    if delta.finish_reason is not None:
        bodies.append(b'{},"finish_reason":' + _encode(delta.finish_reason) + b"}")
    if delta.logprobs is not None:
        first, *others = bodies or [b'{},"finish_reason":null}']
        bodies = [first[:-1] + b',"logprobs":' + _encode(delta.logprobs) + b"}", *others]
    return bodies
