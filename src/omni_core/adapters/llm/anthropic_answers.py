"""What Anthropic answers, whole and streamed. Blocks other than text and tool use are not looked at."""

import msgspec

from omni_core.adapters.llm.http import Broken, Reported
from omni_core.domain.llm.counting import Tally, estimate_usage
from omni_core.domain.llm.model import (
    ChatDelta,
    ChatRequest,
    ChatResponse,
    FinishReason,
    Message,
    Role,
    Text,
    TokenUsage,
    ToolCall,
    ToolCallDelta,
)


class _OutputDetails(msgspec.Struct):
    thinking_tokens: int | None = None


class _Usage(msgspec.Struct):
    """Figures of a stream's end are cumulative; one that is missing there stands as at its beginning."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    output_tokens_details: _OutputDetails | None = None


class _Block(msgspec.Struct):
    """A content block, or the delta of one."""

    type: str
    text: str = ""
    id: str = ""
    name: str = ""
    input: msgspec.Raw = msgspec.Raw(b"{}")
    partial_json: str = ""
    thinking: str = ""


class _Message(msgspec.Struct):
    model: str = ""
    content: list[_Block] | None = None
    stop_reason: str | None = None
    usage: _Usage | None = None


class _Answer(_Message):
    type: str = ""
    error: dict[str, object] | None = None


class _Delta(msgspec.Struct):
    """Of a block or, in `message_delta`, of the message."""

    type: str = ""
    text: str = ""
    partial_json: str = ""
    thinking: str = ""
    stop_reason: str | None = None


class _Event(msgspec.Struct):
    type: str
    index: int = 0
    message: _Message | None = None
    content_block: _Block | None = None
    delta: _Delta | None = None
    usage: _Usage | None = None
    error: dict[str, object] | None = None


_ANSWERS = msgspec.json.Decoder(_Answer)
_EVENTS = msgspec.json.Decoder(_Event)
_STOP = {
    "max_tokens": FinishReason.LENGTH,
    "model_context_window_exceeded": FinishReason.LENGTH,
    "tool_use": FinishReason.TOOL_CALLS,
    "refusal": FinishReason.CONTENT_FILTER,
}
"""Every other reason (end_turn, stop_sequence, pause_turn, one to come) means that the answer stopped."""


def decode(body: bytes, request: ChatRequest) -> ChatResponse:
    """Return a message; raise `Broken`, `Reported` or `msgspec.DecodeError`."""
    answer = _ANSWERS.decode(body)
    if answer.error:
        raise Reported(answer.error)
    if answer.content is None:
        raise Broken("answered without a message")
    text = "".join(block.text for block in answer.content if block.type == "text")
    calls = tuple(_call(block) for block in answer.content if block.type == "tool_use")
    return ChatResponse(
        model=answer.model or request.model,
        message=Message(Role.ASSISTANT, (Text(text),) if text else (), calls),
        finish_reason=_finish(answer.stop_reason),
        usage=_tallied(request, answer.content) if answer.usage is None else _usage(answer.usage, answer.usage),
        reasoning="".join(block.thinking for block in answer.content if block.type == "thinking"),
    )


class AnthropicReader:
    """Reads the events of one streamed message."""

    __slots__ = ("_bare_tool", "_done", "_finished", "_last", "_opening", "_request", "_tally", "_tools")

    def __init__(self, request: ChatRequest) -> None:
        self._done = False
        self._request = request
        self._finished = False
        self._tools = 0
        self._bare_tool = False
        self._tally = Tally()
        self._opening: _Usage | None = None
        self._last: _Usage | None = None

    def over(self) -> bool:
        return self._done

    def read(self, event: bytes) -> ChatDelta | None:
        wire = _EVENTS.decode(event)
        match wire.type:
            case "content_block_delta" if wire.delta is not None:
                return self._grown(wire.delta)
            case "content_block_start" if wire.content_block is not None:
                return self._started(wire.content_block)
            case "content_block_stop" if self._bare_tool:
                # A tool without arguments streams none; callers expect a JSON object all the same.
                self._bare_tool = False
                return ChatDelta(tool_calls=(ToolCallDelta(self._tools - 1, arguments="{}"),))
            case "message_start" if wire.message is not None:
                self._opening = wire.message.usage
                return _opened(wire.message.usage)
            case "message_delta":
                return self._ending(wire)
            case "message_stop":
                self._done = True
            case "error":
                raise Reported(wire.error or {})
        return None  # pings, and events that are yet to be invented

    def end(self) -> TokenUsage:
        if not self._finished:
            raise Broken("ended its stream before its answer")
        last = self._last or self._opening
        if last is None:
            return estimate_usage(self._request, self._tally.tokens)
        return _usage(last, self._opening or last)

    def _started(self, block: _Block) -> ChatDelta | None:
        if block.type == "text" and block.text:
            self._tally.add(block.text)
            return ChatDelta(block.text)
        if block.type == "thinking" and block.thinking:
            self._tally.add(block.thinking)
            return ChatDelta(reasoning=block.thinking)
        if block.type != "tool_use":
            return None
        self._tools += 1
        self._bare_tool = True
        self._tally.add(block.name)
        return ChatDelta(tool_calls=(ToolCallDelta(self._tools - 1, block.id, block.name),))

    def _grown(self, delta: _Delta) -> ChatDelta | None:
        self._tally.add(delta.text or delta.partial_json or delta.thinking)
        if delta.type == "text_delta" and delta.text:
            return ChatDelta(delta.text)
        if delta.type == "input_json_delta" and delta.partial_json and self._tools:
            self._bare_tool = False
            return ChatDelta(tool_calls=(ToolCallDelta(self._tools - 1, arguments=delta.partial_json),))
        if delta.type == "thinking_delta" and delta.thinking:
            return ChatDelta(reasoning=delta.thinking)
        return None

    def _ending(self, wire: _Event) -> ChatDelta | None:
        so_far = finish = None
        if wire.usage is not None:
            self._last = wire.usage
            so_far = _usage(wire.usage, self._opening or wire.usage)
        if wire.delta is not None and wire.delta.stop_reason is not None and not self._finished:
            self._finished = True
            finish = _finish(wire.delta.stop_reason)
        return ChatDelta(finish_reason=finish, usage_so_far=so_far) if finish or so_far else None


def _finish(reason: str | None) -> FinishReason:
    return _STOP.get(reason or "", FinishReason.STOP)


def _usage(last: _Usage, opening: _Usage) -> TokenUsage:
    """Anthropic counts cached and cache-writing input beside its `input_tokens`; Omni counts it within."""
    read = _first(last.cache_read_input_tokens, opening.cache_read_input_tokens)
    written = _first(last.cache_creation_input_tokens, opening.cache_creation_input_tokens)
    details = last.output_tokens_details
    return TokenUsage(
        input_tokens=_first(last.input_tokens, opening.input_tokens) + read + written,
        output_tokens=_first(last.output_tokens, opening.output_tokens),
        cached_input_tokens=read,
        cache_write_tokens=written,
        reasoning_tokens=(details.thinking_tokens or 0) if details is not None else 0,
    )


def _opened(usage: _Usage | None) -> ChatDelta | None:
    """The input has been read. The output that an opening tells is a placeholder: nothing has been produced yet."""
    if usage is None:
        return None
    return ChatDelta(usage_so_far=msgspec.structs.replace(_usage(usage, usage), output_tokens=0, reasoning_tokens=0))


def _first(figure: int | None, earlier: int | None) -> int:
    return figure if figure is not None else earlier or 0


def _call(block: _Block) -> ToolCall:
    if not block.id or not block.name:
        raise Broken("answered with a tool call that has no id or no name")
    return ToolCall(block.id, block.name, bytes(block.input).decode())


def _tallied(request: ChatRequest, blocks: list[_Block]) -> TokenUsage:
    tally = Tally()
    for block in blocks:
        tally.add(block.text or block.thinking or block.name)
        tally.add("" if block.type != "tool_use" else bytes(block.input).decode())
    return estimate_usage(request, tally.tokens)
