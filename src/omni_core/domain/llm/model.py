"""The message model: what is asked of a model, and what it answers, whichever provider it comes from."""

from enum import StrEnum
from typing import Any, Literal

import msgspec

from omni_core.domain.llm.errors import InvalidRequest
from omni_core.domain.llm.extra import MOST_CHOICES, check_extra


class Role(StrEnum):
    """Who speaks. `developer` instructions arrive as `system`."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"


class Text(msgspec.Struct, frozen=True, tag="text"):
    """Words."""

    text: str


class Image(msgspec.Struct, frozen=True, tag="image"):
    """A picture: an https URL, or a `data:<media type>;base64,` URL that carries it."""

    url: str
    detail: Literal["auto", "low", "high"] = "auto"


Part = Text | Image


class ToolCall(msgspec.Struct, frozen=True):
    """The model asks for a tool: `arguments` is JSON text as the model wrote it, so it may be invalid."""

    id: str
    name: str
    arguments: str


class Message(msgspec.Struct, frozen=True):
    """One turn. `tool_calls` are an assistant's; `tool_call_id` says which call a tool's message answers."""

    role: Role
    content: tuple[Part, ...] = ()
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None
    name: str | None = None

    @property
    def text(self) -> str:
        """The words of this turn, without its pictures."""
        return "".join(part.text for part in self.content if isinstance(part, Text))

    @classmethod
    def of(cls, role: Role, text: str) -> "Message":
        """Return a turn of plain words."""
        return cls(role, (Text(text),))


class Tool(msgspec.Struct, frozen=True):
    """A function that the model may ask for; `parameters` is a JSON Schema object."""

    name: str
    description: str = ""
    parameters: dict[str, Any] = msgspec.field(default_factory=dict)
    strict: bool | None = None


class ToolChoice(msgspec.Struct, frozen=True):
    """Whether tools may, must or must not be asked for; `name` forces one of them."""

    mode: Literal["auto", "none", "required"] = "auto"
    name: str | None = None


class ResponseFormat(msgspec.Struct, frozen=True):
    """The form of the answer; `schema` is the JSON Schema of a `json_schema` answer."""

    kind: Literal["text", "json_object", "json_schema"] = "text"
    name: str = "answer"
    schema: dict[str, Any] | None = None
    strict: bool | None = None


class ChatRequest(msgspec.Struct, frozen=True):
    """A question to a model. None leaves a setting to the provider. `max_output_tokens` counts tokens of each choice.

    The fields from `choices` on are for providers that take them (`Capabilities.fields`); `extra` holds vendors' own.
    """

    model: str
    messages: tuple[Message, ...]
    max_output_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    stop: tuple[str, ...] = ()
    seed: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    reasoning_effort: str | None = None
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice | None = None
    parallel_tool_calls: bool | None = None
    response_format: ResponseFormat | None = None
    choices: int = 1
    logprobs: bool = False
    top_logprobs: int | None = None
    logit_bias: dict[str, float] = msgspec.field(default_factory=dict)
    verbosity: str | None = None
    store: bool | None = None
    extra: dict[str, Any] = msgspec.field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.messages:
            raise InvalidRequest("messages must hold at least one message", field="messages", allowed="1 or more")
        if self.max_output_tokens is not None and self.max_output_tokens < 1:
            raise InvalidRequest("max_tokens must be at least 1", field="max_tokens", allowed="1 or more")
        if not 1 <= self.choices <= MOST_CHOICES:
            raise InvalidRequest(f"n must be from 1 to {MOST_CHOICES}", field="n", allowed=f"1 to {MOST_CHOICES}")
        if self.extra:
            check_extra(self.extra)

    @property
    def special_fields(self) -> tuple[str, ...]:
        """The names of those fields, as the wire has them, that not every provider takes and that ask for something."""
        is_plain = self.choices == 1 and self.verbosity is None and self.top_logprobs is None
        if is_plain and not (self.logprobs or self.logit_bias or self.store or self.extra):
            return ()  # nearly every request, without building anything
        asked = {
            "n": self.choices > 1,
            "logprobs": self.logprobs,
            "top_logprobs": self.top_logprobs is not None,
            "logit_bias": bool(self.logit_bias),
            "verbosity": self.verbosity is not None,
            "store": bool(self.store),
        }
        return (*(name for name, is_asked in asked.items() if is_asked), *self.extra)

    @property
    def images(self) -> int:
        """How many pictures the request holds."""
        count = 0
        for message in self.messages:  # a loop, because a generator takes three times as long for a usual request
            for part in message.content:
                if isinstance(part, Image):
                    count += 1
        return count


class FinishReason(StrEnum):
    """Why the answer ended."""

    STOP = "stop"
    LENGTH = "length"
    TOOL_CALLS = "tool_calls"
    CONTENT_FILTER = "content_filter"


class TokenUsage(msgspec.Struct, frozen=True):
    """What a call used, in tokens. Parts are counted within their whole, as the OpenAI API does:

    cached, cache-write and audio input tokens are among `input_tokens`, audio and reasoning output tokens among
    `output_tokens`. `estimated` says that Omni counted, because the provider did not say.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    cached_input_tokens: int = 0
    cache_write_tokens: int = 0
    audio_input_tokens: int = 0
    audio_output_tokens: int = 0
    reasoning_tokens: int = 0
    estimated: bool = False


class TokenAlternative(msgspec.Struct, frozen=True):
    """A token that could have stood somewhere, and the logarithm of its probability; `bytes` are its UTF-8."""

    token: str
    logprob: float
    bytes: tuple[int, ...] | None = None


class TokenLogprob(msgspec.Struct, frozen=True):
    """A token of an answer, and the likeliest ones in its place."""

    token: str
    logprob: float
    bytes: tuple[int, ...] | None = None
    top_logprobs: tuple[TokenAlternative, ...] = ()


class Logprobs(msgspec.Struct, frozen=True):
    """How likely the tokens of an answer, or of a piece of one, were; those of a refusal stand apart."""

    content: tuple[TokenLogprob, ...] | None = None
    refusal: tuple[TokenLogprob, ...] | None = None


class ChatChoice(msgspec.Struct, frozen=True):
    """One of several answers to the same question."""

    message: Message
    finish_reason: FinishReason
    logprobs: Logprobs | None = None


class ChatResponse(msgspec.Struct, frozen=True):
    """A whole answer. `model` is the provider's name of the model that answered; `usage` is that of all choices.

    `alternatives` are the further choices where the request asked for several. `reasoning` are the words of the model's
    thinking, where the provider shows them, over all choices: counted, and not handed on.
    """

    model: str
    message: Message
    finish_reason: FinishReason
    usage: TokenUsage
    logprobs: Logprobs | None = None
    alternatives: tuple[ChatChoice, ...] = ()
    reasoning: str = ""

    @property
    def choices(self) -> tuple[ChatChoice, ...]:
        """Every choice, in order."""
        return (ChatChoice(self.message, self.finish_reason, self.logprobs), *self.alternatives)

    @property
    def everything(self) -> Message:
        """What all choices say, as one turn that can be counted."""
        if not self.alternatives:
            return self.message
        said = [choice.message for choice in self.choices]
        parts = tuple(part for message in said for part in message.content)
        return Message(self.message.role, parts, tuple(call for message in said for call in message.tool_calls))


class ToolCallDelta(msgspec.Struct, frozen=True):
    """A piece of the tool call at `index`: `id` and `name` come once, `arguments` piece by piece."""

    index: int
    id: str | None = None
    name: str | None = None
    arguments: str = ""


class ChatDelta(msgspec.Struct, frozen=True):
    """A piece of a streamed answer. `finish_reason` comes once, `usage` in the last piece, both possibly together.

    Of several choices `index` says which one it belongs to; each has its own `finish_reason`.

    `reasoning` are words of the model's thinking. `usage_so_far` is what the provider says that the call has used up to
    and including this piece; in the first pieces it may count the input alone. Both are for whoever charges a call that
    never comes to its `usage`, and are not handed on to callers. An adapter that knows neither leaves them out.
    """

    text: str = ""
    tool_calls: tuple[ToolCallDelta, ...] = ()
    finish_reason: FinishReason | None = None
    usage: TokenUsage | None = None
    reasoning: str = ""
    usage_so_far: TokenUsage | None = None
    index: int = 0
    logprobs: Logprobs | None = None

    @property
    def is_plain(self) -> bool:
        """Whether it holds words or figures on the way, of the first choice, and nothing else: such pieces join."""
        is_first = self.index == 0 and self.logprobs is None
        return is_first and self.finish_reason is None and self.usage is None and not self.tool_calls

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing in it for a caller."""
        is_end = self.finish_reason is not None or self.usage is not None
        return not (self.text or self.tool_calls or is_end or self.logprobs is not None)
