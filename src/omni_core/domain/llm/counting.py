"""How many tokens a request or an answer may be, without the provider's tokenizer.

Two different questions with two different answers:

- `estimate_*` say what a text probably comes to. They stand in for a provider's own figures where it sends none, or
  where a stream was cut off before they came, or where they cannot be true. A figure of this kind is marked
  `TokenUsage.estimated`.
- `upper_bound_tokens` says what a request cannot exceed. Budgets reserve by it.
"""

import msgspec

from omni_core.domain.llm.extra import encoded
from omni_core.domain.llm.model import ChatRequest, Image, Message, TokenUsage

MESSAGE_ESTIMATE = 4
"""Role and delimiters of one turn: 3, and 1 for a name (OpenAI's cookbook, "How to count tokens with tiktoken")."""

IMAGE_ESTIMATE = 765
"""A 1024 x 1024 picture in high detail on gpt-4o: 85 + 4 tiles of 170 (OpenAI, "Images and vision")."""

REQUEST_BOUND = 256
"""What chat templates add around all turns: a default system prompt, dates, the answer's role (gpt-oss: about 90)."""

MESSAGE_BOUND = 16
"""Role and delimiters of one turn: 3 to 5 tokens in ChatML and Llama 3. Names and ids count by their bytes."""

CALL_BOUND = 32
"""Delimiters and field names of one tool call in an assistant's turn."""

TOOLS_BOUND = 1024
"""The hidden system prompt that a provider adds once there are tools; Anthropic publishes 264 to 804 by model."""

TOOL_BOUND = 64
"""Delimiters of one tool's declaration."""

SCHEMA_FACTOR = 2
"""Templates print a JSON Schema anew, indented or as TypeScript, so its own bytes are no bound; twice them is."""

IMAGE_BOUND = {"low": 2_833, "auto": 48_169, "high": 48_169}
"""The dearest published rule, gpt-4o-mini's: 2,833 and 5,667 for each 512-pixel tile, of which a picture scaled into
2048 x 768 has at most 8 (OpenAI, "Images and vision"). Anthropic's most is 4,784 (Anthropic, "Vision")."""


class Tally:
    """Estimates the tokens of a text that arrives in pieces, however it was cut.

    The rule, per character: a quarter of a token for ASCII, and three eighths more for each further UTF-8 byte. So
    English comes to 4 characters a token, Cyrillic or Greek to 1.6, Chinese, Japanese and Korean to 1, an emoji to 0.7.
    """

    __slots__ = ("_characters", "_extra_bytes")

    def __init__(self) -> None:
        self._characters = 0
        self._extra_bytes = 0

    def add(self, text: str) -> None:
        self._characters += len(text)
        if not text.isascii():
            self._extra_bytes += _utf8_bytes(text) - len(text)

    def clear(self) -> None:
        """Begin anew."""
        self._characters = self._extra_bytes = 0

    @property
    def tokens(self) -> int:
        """The estimate so far, rounded up."""
        return -((-2 * self._characters - 3 * self._extra_bytes) // 8)


def estimate_tokens(text: str) -> int:
    """Return about how many tokens `text` is; `Tally` states the rule."""
    tally = Tally()
    tally.add(text)
    return tally.tokens


def estimate_input_tokens(request: ChatRequest) -> int:
    """Return about how many tokens a provider would count for what `request` sends."""
    tally = Tally()
    for message in request.messages:
        tally.add(message.text)
        for call in message.tool_calls:
            tally.add(call.name)
            tally.add(call.arguments)
    for tool in request.tools:
        tally.add(msgspec.json.encode(tool).decode())
    return tally.tokens + MESSAGE_ESTIMATE * len(request.messages) + IMAGE_ESTIMATE * request.images


def estimate_usage(request: ChatRequest, output_tokens: int) -> TokenUsage:
    """Return the usage of a call of which the provider said nothing, given what its answer comes to."""
    return TokenUsage(estimate_input_tokens(request), output_tokens, estimated=True)


def estimate_answer(request: ChatRequest, answer: Message, reasoning: str = "") -> TokenUsage:
    """Return the usage of a call with this answer, of which the provider said nothing that can be true."""
    tally = Tally()
    tally.add(answer.text)
    tally.add(reasoning)
    for call in answer.tool_calls:
        tally.add(call.name)
        tally.add(call.arguments)
    return estimate_usage(request, tally.tokens)


def upper_bound_tokens(request: ChatRequest) -> int:
    """Return a number of input tokens that no provider's count of `request` exceeds.

    A byte-level BPE never makes more tokens than the text has UTF-8 bytes, nor does SentencePiece with byte fallback.
    What is not text is bounded by the constants of this module. Not covered: a tokenizer that normalises to a longer
    form (NFKC of U+FDFA), and a hidden prompt that a provider adds beyond `REQUEST_BOUND`.
    """
    bound = REQUEST_BOUND + sum(_message_bound(message) for message in request.messages)
    if request.tools:
        bound += TOOLS_BOUND
        bound += sum(TOOL_BOUND + SCHEMA_FACTOR * len(msgspec.json.encode(tool)) for tool in request.tools)
    if request.response_format is not None:
        bound += TOOL_BOUND + SCHEMA_FACTOR * len(msgspec.json.encode(request.response_format))
    if request.extra:
        # Some of them, such as documents for a chat template, become part of the prompt.
        bound += TOOL_BOUND + SCHEMA_FACTOR * len(encoded(request.extra))
    return bound


def _message_bound(message: Message) -> int:
    bound = MESSAGE_BOUND + _utf8_bytes(message.name or "") + _utf8_bytes(message.tool_call_id or "")
    for part in message.content:
        bound += IMAGE_BOUND[part.detail] if isinstance(part, Image) else _utf8_bytes(part.text)
    for call in message.tool_calls:
        bound += CALL_BOUND + _utf8_bytes(call.id) + _utf8_bytes(call.name) + _utf8_bytes(call.arguments)
    return bound


def _utf8_bytes(text: str) -> int:
    # A lone surrogate cannot be sent as UTF-8, but it must not break the count of a request that will be refused.
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
