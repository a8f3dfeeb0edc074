"""Estimates say about what; the upper bound is never below what a tokenizer could make."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from omni_core.domain.llm.counting import (
    IMAGE_BOUND,
    Tally,
    estimate_input_tokens,
    estimate_tokens,
    estimate_usage,
    upper_bound_tokens,
)
from omni_core.domain.llm.model import (
    ChatRequest,
    Image,
    Message,
    ResponseFormat,
    Role,
    Text,
    Tool,
    ToolCall,
)


def request(*messages: Message, **settings: Any) -> ChatRequest:
    return ChatRequest(model="any", messages=messages or (Message.of(Role.USER, "hi"),), **settings)


def test_english_is_four_characters_a_token():
    assert estimate_tokens("abcd" * 25) == 25


def test_chinese_is_a_token_a_character():
    assert estimate_tokens("你好世界") == 4


def test_a_part_of_a_token_counts_as_one():
    assert estimate_tokens("a") == 1
    assert estimate_tokens("") == 0


@given(st.lists(st.text()))
def test_pieces_count_as_their_whole_however_they_are_cut(pieces):
    tally = Tally()
    for piece in pieces:
        tally.add(piece)
    assert tally.tokens == estimate_tokens("".join(pieces))


@given(st.text())
def test_an_estimate_never_exceeds_the_bytes(text):
    assert estimate_tokens(text) <= len(text.encode())


def test_a_lone_surrogate_is_counted_rather_than_raised():
    assert estimate_tokens("\ud800") >= 1
    assert upper_bound_tokens(request(Message.of(Role.USER, "\ud800"))) > 0


def test_an_estimated_usage_says_so():
    usage = estimate_usage(request(Message.of(Role.USER, "abcd" * 10)), output_tokens=7)
    assert (usage.input_tokens, usage.output_tokens, usage.estimated) == (14, 7, True)


@given(st.lists(st.text(), min_size=1))
def test_the_bound_covers_a_token_a_byte_and_four_a_message(texts):
    bound = upper_bound_tokens(request(*(Message.of(Role.USER, text) for text in texts)))
    assert bound >= sum(len(text.encode()) + 4 for text in texts)


@given(st.text())
def test_the_bound_is_never_below_the_estimate(text):
    asked = request(Message.of(Role.USER, text), tools=(Tool("search", text, {"type": "object"}),))
    assert upper_bound_tokens(asked) >= estimate_input_tokens(asked)


def test_whatever_is_sent_raises_the_bound():
    plain = upper_bound_tokens(request())
    call = ToolCall("call_1", "search", '{"query": "omni"}')
    tool = Tool("search", "Searches.", {"type": "object", "properties": {"query": {"type": "string"}}})
    schema = {"type": "object", "properties": {"answer": {"type": "string"}}}
    for larger in (
        request(Message(Role.USER, (Text("hi"),), name="Ada")),
        request(Message(Role.USER, (Text("hi"), Text("there")))),
        request(Message(Role.ASSISTANT, (Text("hi"),), tool_calls=(call,))),
        request(Message(Role.TOOL, (Text("hi"),), tool_call_id="call_1")),
        request(tools=(tool,)),
        request(response_format=ResponseFormat("json_schema", schema=schema)),
    ):
        assert upper_bound_tokens(larger) > plain


def test_a_picture_is_bounded_by_its_detail_and_not_by_its_bytes():
    def bound(image: Image) -> int:
        return upper_bound_tokens(request(Message(Role.USER, (image,))))

    url, data = "https://example.test/cat.png", "data:image/png;base64," + "A" * 100_000
    assert bound(Image(url)) == bound(Image(data))
    assert bound(Image(url)) - bound(Image(url, "low")) == IMAGE_BOUND["auto"] - IMAGE_BOUND["low"]
