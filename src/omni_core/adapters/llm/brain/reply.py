"""From a request to the words, the token counts and the reason for the end: all that omni-brain computes."""

import msgspec

from omni_core.adapters.llm.brain.answer import answer
from omni_core.adapters.llm.brain.tokens import count_messages, count_tokens, first_tokens
from omni_core.domain.llm.model import ChatRequest, FinishReason, TokenUsage


class Reply(msgspec.Struct, frozen=True):
    """A whole answer, as it is sent."""

    text: str
    finish_reason: FinishReason
    usage: TokenUsage


def reply(request: ChatRequest) -> Reply:
    """Answer a request. This takes processor time in proportion to its text, and waits for nothing."""
    found = answer(request.messages)
    as_json = request.response_format is not None and request.response_format.kind == "json_object"
    whole = _before_stop(found.as_json() if as_json else found.as_text(), request.stop)
    text = whole if request.max_output_tokens is None else first_tokens(whole, request.max_output_tokens)
    return Reply(
        text,
        FinishReason.STOP if text == whole else FinishReason.LENGTH,
        TokenUsage(input_tokens=count_messages(request.messages), output_tokens=count_tokens(text)),
    )


def _before_stop(text: str, stop: tuple[str, ...]) -> str:
    places = [text.find(sequence) for sequence in stop if sequence]
    return text[: min((place for place in places if place >= 0), default=len(text))]
