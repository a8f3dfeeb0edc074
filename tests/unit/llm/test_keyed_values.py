"""What a key may be, which requests are the same, and what is read of what another release kept."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from omni_core import ChatChoice, ChatDelta, ChatRequest, ChatResponse, FinishReason, Message, Role, TokenUsage
from omni_core.domain.llm.api import Image, InvalidIdempotencyKey, Text, Tool, ToolCallDelta
from omni_core.domain.llm.errors import ProviderGarbage, ProviderRateLimited, ProviderUnavailable
from omni_core.domain.llm.keyed import BrokenOff, Outcome, check_key, fingerprint_of

QUESTION = ChatRequest("m", (Message.of(Role.USER, "What is six times seven?"),))
WHEN = datetime(2026, 11, 21, 12, 0, 0, 123456, tzinfo=UTC)


@pytest.mark.parametrize("key", ["a", "~" * 255, '"8e03978e-40d5-43dd-bc93-6894a57f9324"', "stainless-python-retry-1"])
def test_a_key_is_visible_ascii(key: str):
    assert check_key(key) == key


@pytest.mark.parametrize("key", ["", "a b", " a", "a\t", "a\n", "a\0", "\x7f", "é", "🦉", "~" * 256, "a" * 10**6])
def test_any_other_key_is_refused_by_the_headers_name(key: str):
    with pytest.raises(InvalidIdempotencyKey) as refused:
        check_key(key)
    assert refused.value.fields["field"] == "Idempotency-Key"
    assert len(refused.value.detail) < 100


def tool(schema: dict[str, Any]) -> ChatRequest:
    return msgspec.structs.replace(QUESTION, tools=(Tool("look", parameters=schema),))


DIFFERENT = [
    msgspec.structs.replace(QUESTION, model="n"),
    msgspec.structs.replace(QUESTION, temperature=0.0),
    msgspec.structs.replace(QUESTION, temperature=1.0),
    msgspec.structs.replace(QUESTION, max_output_tokens=1),
    msgspec.structs.replace(QUESTION, seed=0),
    msgspec.structs.replace(QUESTION, parallel_tool_calls=False),
    msgspec.structs.replace(QUESTION, stop=("a",)),
    msgspec.structs.replace(QUESTION, stop=("a", "b")),
    msgspec.structs.replace(QUESTION, messages=(*QUESTION.messages, *QUESTION.messages)),
    ChatRequest("m", (Message.of(Role.SYSTEM, "What is six times seven?"),)),
    ChatRequest("m", (Message(Role.USER, (Text("What is "), Text("six times seven?"))),)),
    ChatRequest("m", (Message(Role.USER, (Text("https://a/b"),)),)),
    ChatRequest("m", (Message(Role.USER, (Image("https://a/b"),)),)),
    tool({}),
    tool({"default": None}),
    tool({"default": 0}),
    tool({"default": False}),
]


def test_whatever_is_asked_otherwise_is_told_apart():
    prints = {fingerprint_of(one, streamed=streamed) for one in (QUESTION, *DIFFERENT) for streamed in (False, True)}
    assert len(prints) == 2 * (1 + len(DIFFERENT))
    assert {len(one) for one in prints} == {32}


def test_the_order_of_members_makes_no_difference():
    one, other = tool({"a": {"c": 1, "d": 2}, "b": 2}), tool({"b": 2, "a": {"d": 2, "c": 1}})
    assert fingerprint_of(one, streamed=False) == fingerprint_of(other, streamed=False)


class LaterRequest(ChatRequest, frozen=True):
    mood: str | None = None


def test_a_release_with_more_fields_tells_the_same_of_the_same():
    # But for the name of the class, which stays in a real release.
    later: Any = msgspec.defstruct("ChatRequest", [], bases=(LaterRequest,), frozen=True)
    asked = later("m", QUESTION.messages)
    assert fingerprint_of(asked, streamed=True) == fingerprint_of(QUESTION, streamed=True)


RESPONSE = ChatResponse("up", Message.of(Role.ASSISTANT, "Forty-two 🦉."), FinishReason.STOP, TokenUsage(5, 7, 1))
PIECES = (
    ChatDelta("Forty"),
    ChatDelta(tool_calls=(ToolCallDelta(0, "id", "look", '{"a"'),)),
    ChatDelta(finish_reason=FinishReason.LENGTH),
    ChatDelta(usage=TokenUsage(5, 7, estimated=True)),
)


@pytest.mark.parametrize(
    "outcome",
    [
        Outcome(WHEN, RESPONSE),
        Outcome(WHEN, pieces=PIECES),
        Outcome(WHEN, pieces=PIECES[:1], broken_off=BrokenOff("llm.provider_garbage", "broke off", {"limit_s": 1.5})),
        Outcome(WHEN),
    ],
)
def test_what_was_kept_is_read_as_it_was(outcome: Outcome):
    assert Outcome.of_text(outcome.to_text()) == outcome


def test_what_another_release_kept_is_read():
    said = msgspec.json.decode(Outcome(WHEN, RESPONSE).to_text())
    said["mood"] = "new"
    said["response"] |= {"finish_reason": "tired", "colour": "blue"}
    read = Outcome.of_text(msgspec.json.encode(said).decode())
    assert read.response is not None
    assert (read.response.finish_reason, read.response.message) == ("tired", RESPONSE.message)
    assert '"tired"' in read.to_text()
    piece = {"finish_reason": "tired"}
    streamed = Outcome.of_text(msgspec.json.encode({"created_at": WHEN, "pieces": [piece]}).decode())
    assert [one.finish_reason for one in streamed.pieces] == ["tired"]


def test_several_choices_that_another_release_kept_are_read():
    other = ChatChoice(Message.of(Role.ASSISTANT, "Forty-three."), FinishReason.LENGTH)
    whole = msgspec.structs.replace(RESPONSE, alternatives=(other,))
    assert Outcome.of_text(Outcome(WHEN, whole).to_text()) == Outcome(WHEN, whole)
    said = msgspec.json.decode(Outcome(WHEN, whole).to_text())
    said["response"]["alternatives"][0]["finish_reason"] = "tired"
    read = Outcome.of_text(msgspec.json.encode(said).decode())
    assert read.response is not None
    assert [choice.finish_reason for choice in read.response.choices] == ["stop", "tired"]


def test_an_error_comes_back_as_it_was():
    error = BrokenOff("llm.provider_rate_limited", "wait", {"retry_after_s": 2}).error()
    assert isinstance(error, ProviderRateLimited)
    assert (error.detail, error.fields) == ("wait", {"retry_after_s": 2})
    assert isinstance(BrokenOff("llm.provider_garbage", "x").error(), ProviderGarbage)
    assert isinstance(BrokenOff("llm.provider_of_a_later_release", "x").error(), ProviderUnavailable)
