"""What an OpenAI-compatible endpoint answers, whole and streamed. Fields that are not used are not looked at."""

from typing import Any

import msgspec

from omni_core.adapters.llm.http import Broken, Reported
from omni_core.domain.llm.counting import Tally, estimate_usage
from omni_core.domain.llm.model import (
    ChatChoice,
    ChatDelta,
    ChatRequest,
    ChatResponse,
    FinishReason,
    Logprobs,
    Message,
    Role,
    Text,
    TokenUsage,
    ToolCall,
    ToolCallDelta,
)


class _Details(msgspec.Struct):
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None
    audio_tokens: int | None = None
    reasoning_tokens: int | None = None


class _Usage(msgspec.Struct):
    prompt_tokens: int
    completion_tokens: int = 0
    prompt_tokens_details: _Details | None = None
    completion_tokens_details: _Details | None = None


class _Function(msgspec.Struct):
    name: str | None = None
    arguments: str | None = None


class _Call(msgspec.Struct):
    function: _Function
    index: int = 0
    id: str | None = None


class _Said(msgspec.Struct):
    """A message, or a piece of one."""

    content: str | None = None
    refusal: str | None = None
    tool_calls: list[_Call] | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None


class _Choice(msgspec.Struct):
    message: _Said | None = None
    delta: _Said | None = None
    finish_reason: str | None = None


class _PlacedChoice(_Choice):
    """One of several, or one with its probabilities."""

    index: int = 0
    logprobs: msgspec.Raw = msgspec.Raw(b"null")


class _Answer(msgspec.Struct):
    """A completion, or a chunk of one."""

    model: str = ""
    choices: list[_Choice] | None = None
    usage: _Usage | None = None
    error: Any = None


class _Answers(_Answer):
    """A completion of several choices, or with their probabilities."""

    choices: list[_PlacedChoice] | None = None  # type: ignore[assignment]  # narrower, and read alone


_DECODER = msgspec.json.Decoder(_Answer)
_SEVERAL = msgspec.json.Decoder(_Answers)
_LOGPROBS = msgspec.json.Decoder(Logprobs | None)
_NO_DETAILS = _Details()
_FINISH = {
    "stop": FinishReason.STOP,
    "length": FinishReason.LENGTH,
    "tool_calls": FinishReason.TOOL_CALLS,
    "function_call": FinishReason.TOOL_CALLS,
    "content_filter": FinishReason.CONTENT_FILTER,
}


def decode(body: bytes, request: ChatRequest) -> ChatResponse:
    """Return a completion: as many choices as were asked for. Raises `Broken`, `Reported` or `msgspec.DecodeError`."""
    if request.choices > 1 or request.logprobs:
        return _decode_several(body, request)
    answer = _DECODER.decode(body)
    if answer.error:
        raise Reported(answer.error)
    if not answer.choices or answer.choices[0].message is None:
        raise Broken("answered without a message")
    choice, said = answer.choices[0], answer.choices[0].message
    return ChatResponse(
        model=answer.model or request.model,
        message=_message(said),
        finish_reason=_finish(choice.finish_reason or "stop"),
        usage=_tallied(request, [said]) if answer.usage is None else _usage(answer.usage),
        reasoning=_thoughts(said),
    )


def _decode_several(body: bytes, request: ChatRequest) -> ChatResponse:
    answer = _SEVERAL.decode(body)
    if answer.error:
        raise Reported(answer.error)
    wanted = sorted(answer.choices or [], key=lambda choice: choice.index)[: request.choices]
    said = [choice.message for choice in wanted if choice.message is not None]
    if not wanted or len(said) < len(wanted):
        raise Broken("answered without a message")
    first, *others = [
        ChatChoice(
            _message(message),
            _finish(choice.finish_reason or "stop"),
            read_logprobs(choice.logprobs) if request.logprobs else None,
        )
        for choice, message in zip(wanted, said, strict=True)
    ]
    return ChatResponse(
        model=answer.model or request.model,
        message=first.message,
        finish_reason=first.finish_reason,
        usage=_tallied(request, said) if answer.usage is None else _usage(answer.usage),
        logprobs=first.logprobs,
        alternatives=tuple(others),
        reasoning="".join(map(_thoughts, said)),
    )


def _message(said: _Said) -> Message:
    text = said.content or said.refusal or ""
    return Message(Role.ASSISTANT, (Text(text),) if text else (), tuple(_calls(said)))


def read_logprobs(raw: msgspec.Raw) -> Logprobs | None:
    """Return what stands under `logprobs`; raise `msgspec.DecodeError`."""
    logprobs: Logprobs | None = _LOGPROBS.decode(raw)
    return logprobs


class OpenAIReader:
    """Reads the chunks of one streamed completion."""

    __slots__ = ("_done", "_finished", "_request", "_tally", "_usage")

    def __init__(self, request: ChatRequest) -> None:
        self._done = False
        self._request = request
        self._finished = False
        self._tally = Tally()
        self._usage: _Usage | None = None

    def over(self) -> bool:
        return self._done

    def read(self, event: bytes) -> ChatDelta | None:
        if event == b"[DONE]":
            self._done = True
            return None
        chunk = _DECODER.decode(event)
        if chunk.error:
            raise Reported(chunk.error)
        so_far = None
        if chunk.usage is not None:
            self._usage = chunk.usage  # some servers repeat it, growing, in each chunk: the last one counts
            so_far = _usage(chunk.usage)
        if not chunk.choices:
            return None if so_far is None else ChatDelta(usage_so_far=so_far)
        choice = chunk.choices[0]
        finish = None
        if choice.finish_reason is not None and not self._finished:
            self._finished = True
            finish = _finish(choice.finish_reason)
        said = choice.delta
        text, reasoning, calls = "", "", ()  # type: tuple[str, str, tuple[ToolCallDelta, ...]]
        if said is not None:
            text = said.content or said.refusal or ""
            reasoning = said.reasoning_content or said.reasoning or ""
            if said.tool_calls or reasoning or said.refusal:
                calls = tuple(_call_deltas(said))
                _tally(self._tally, said)
            elif text:
                self._tally.add(text)
        if text or reasoning or calls or finish or so_far:
            return ChatDelta(text, calls, finish, None, reasoning, so_far)
        return None

    def end(self) -> TokenUsage:
        if not self._finished:
            raise Broken("ended its stream before its answer")
        return estimate_usage(self._request, self._tally.tokens) if self._usage is None else _usage(self._usage)


def _finish(reason: str) -> FinishReason:
    # A reason that only some server knows still means that the answer is over.
    return _FINISH.get(reason, FinishReason.STOP)


def _usage(usage: _Usage) -> TokenUsage:
    given = usage.prompt_tokens_details or _NO_DETAILS
    made = usage.completion_tokens_details or _NO_DETAILS
    return TokenUsage(
        input_tokens=usage.prompt_tokens,
        output_tokens=usage.completion_tokens,
        cached_input_tokens=given.cached_tokens or 0,
        cache_write_tokens=given.cache_write_tokens or 0,
        audio_input_tokens=given.audio_tokens or 0,
        audio_output_tokens=made.audio_tokens or 0,
        reasoning_tokens=made.reasoning_tokens or 0,
    )


def _tallied(request: ChatRequest, messages: list[_Said]) -> TokenUsage:
    tally = Tally()
    for said in messages:
        _tally(tally, said)
    return estimate_usage(request, tally.tokens)


def _tally(tally: Tally, said: _Said) -> None:
    for text in (said.content, said.refusal, _thoughts(said)):
        if text:
            tally.add(text)
    for call in said.tool_calls or ():
        tally.add(call.function.name or "")
        tally.add(call.function.arguments or "")


def _thoughts(said: _Said) -> str:
    return said.reasoning_content or said.reasoning or ""


def _calls(said: _Said) -> list[ToolCall]:
    calls = []
    for call in said.tool_calls or ():
        if not call.id or not call.function.name:
            raise Broken("answered with a tool call that has no id or no name")
        calls.append(ToolCall(call.id, call.function.name, call.function.arguments or ""))
    return calls


def _call_deltas(said: _Said) -> list[ToolCallDelta]:
    return [
        ToolCallDelta(call.index, call.id, call.function.name, call.function.arguments or "")
        for call in said.tool_calls or ()
    ]
