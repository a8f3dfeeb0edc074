"""A call that never comes to its usage: charged by the last figures that came, and an estimate of what came after."""

import asyncio
from contextlib import aclosing

import msgspec
import pytest

from omni_core import ChatRequest, Message, Role
from omni_core.adapters.llm.anthropic_answers import AnthropicReader
from omni_core.adapters.llm.http import pieces_of
from omni_core.adapters.llm.openai_answers import OpenAIReader
from omni_core.domain.llm.api import ChatDelta, FinishReason, TokenUsage, ToolCallDelta
from omni_core.domain.llm.counting import estimate_input_tokens, estimate_tokens
from omni_core.domain.llm.errors import ProviderGarbage
from omni_core.domain.metering.api import CallStatus, Quantities, UsageEvent
from omni_core.testing.scripted_model import ScriptedChatModel
from tests.unit.llm.conftest import desk_with

QUESTION = ChatRequest("scripted", (Message.of(Role.USER, "What is six times seven?"),))
INPUT = estimate_input_tokens(QUESTION)
OPENING = ChatDelta(usage_so_far=TokenUsage(300))
THOUGHT, TEXT = "Six sevens are forty-two, are they not? ", "Forty-two."


async def left(*script: ChatDelta) -> tuple[UsageEvent, ...]:
    """Return what is recorded of a caller who leaves after all of the script."""
    async with desk_with(ScriptedChatModel([*script, ChatDelta("the last piece")])) as desk:
        model = await desk.omni.chat.chat_model(desk.principal, "scripted")
        async with aclosing(model.stream(QUESTION)) as stream:
            assert (await anext(stream)).text == "the last piece"
        await desk.omni.chat.settled()
        return await desk.usage()


async def broken_off(*script: ChatDelta) -> tuple[UsageEvent, ...]:
    """Return what is recorded of a provider that breaks off after the script."""
    async with desk_with(ScriptedChatModel([*script, ProviderGarbage("broke off")])) as desk:
        with pytest.raises(ProviderGarbage):
            async for _ in await desk.omni.chat.stream(desk.principal, QUESTION):
                pass
        return await desk.usage()


@pytest.mark.parametrize(
    "script,quantities",
    [
        ([ChatDelta(reasoning=THOUGHT)], (INPUT, estimate_tokens(THOUGHT))),
        ([ChatDelta(TEXT, reasoning=THOUGHT)], (INPUT, estimate_tokens(THOUGHT + TEXT))),
        ([OPENING, ChatDelta(TEXT)], (300, estimate_tokens(TEXT))),
        ([OPENING, ChatDelta(reasoning=THOUGHT), ChatDelta(TEXT)], (300, estimate_tokens(THOUGHT + TEXT))),
        ([ChatDelta(TEXT, usage_so_far=TokenUsage(300, 90))], (300, 90)),
        ([ChatDelta(TEXT, usage_so_far=TokenUsage(300, 90)), ChatDelta(TEXT)], (300, 90 + estimate_tokens(TEXT))),
        ([ChatDelta(TEXT, usage_so_far=TokenUsage(300, count)) for count in (30, 60, 90)], (300, 90)),
    ],
)
async def test_the_last_figures_count_and_what_came_after_is_estimated(
    script: list[ChatDelta], quantities: tuple[int, int]
):
    (event,) = await broken_off(*script)
    assert (event.status, event.estimated) == (CallStatus.FAILED, True)
    assert event.quantities == Quantities(input=quantities[0], output=quantities[1], request=1)


@pytest.mark.parametrize("figures", [TokenUsage(0, 0), TokenUsage(300, 0), TokenUsage(300, 1)])
async def test_figures_that_do_not_grow_do_not_hide_what_was_produced(figures: TokenUsage):
    (event,) = await broken_off(*[ChatDelta(TEXT, usage_so_far=figures)] * 4)
    counted = 1 + estimate_tokens(TEXT * 3) if figures.output_tokens else estimate_tokens(TEXT * 4)
    assert event.quantities == Quantities(input=figures.input_tokens or INPUT, output=counted, request=1)


@pytest.mark.parametrize("absurd", [TokenUsage(300, -1), TokenUsage(-1, 300), TokenUsage(300, 10**30)])
async def test_figures_that_cannot_be_true_are_passed_over_on_the_way_too(absurd: TokenUsage):
    (event,) = await broken_off(ChatDelta(TEXT, usage_so_far=TokenUsage(300, 90)), ChatDelta(usage_so_far=absurd))
    assert event.quantities == Quantities(input=300, output=90, request=1)


async def test_parts_of_the_input_that_came_on_the_way_are_charged_as_such():
    figures = TokenUsage(300, cached_input_tokens=200, cache_write_tokens=50)
    (event,) = await broken_off(ChatDelta(usage_so_far=figures), ChatDelta(TEXT))
    expected = Quantities(input=50, cached_input=200, cache_write=50, output=estimate_tokens(TEXT), request=1)
    assert event.quantities == expected


async def test_who_leaves_pays_for_what_came_on_the_way_as_well():
    (event,) = await left(OPENING, ChatDelta(reasoning=THOUGHT))
    assert (event.status, event.estimated) == (CallStatus.INTERRUPTED, True)
    produced = estimate_tokens(THOUGHT + "the last piece")
    assert event.quantities == Quantities(input=300, output=produced, request=1)


@pytest.mark.parametrize(
    "first,quantities",
    [
        (OPENING, Quantities(input=300, request=1)),
        (ChatDelta(reasoning=THOUGHT), Quantities(input=INPUT, output=estimate_tokens(THOUGHT), request=1)),
    ],
)
async def test_who_leaves_before_the_first_word_pays_for_what_the_provider_says_it_read_or_thought(
    first: ChatDelta, quantities: Quantities
):
    scripted = ScriptedChatModel([first, ChatDelta(TEXT)])
    scripted.hold.clear()
    async with desk_with(scripted) as desk:
        model = await desk.omni.chat.chat_model(desk.principal, "scripted")
        reading = asyncio.create_task(anext(model.stream(QUESTION)))
        while not scripted.requests:  # noqa: ASYNC110 - by then it waits for the second piece
            await asyncio.sleep(0)
        reading.cancel()
        await asyncio.wait([reading])
        await desk.omni.chat.settled()
        (event,) = await desk.usage()
    assert (event.status, event.estimated, event.quantities) == (CallStatus.INTERRUPTED, True, quantities)


async def test_a_provider_that_read_the_input_and_then_failed_is_paid_nothing():
    assert await broken_off(OPENING) == ()


async def test_an_answer_has_begun_with_its_first_thought():
    scripted = ScriptedChatModel([ChatDelta(reasoning=THOUGHT), ChatDelta(TEXT)])
    scripted.hold.clear()
    async with desk_with(scripted) as desk:
        stream = await desk.omni.chat.stream(desk.principal, QUESTION)
        scripted.hold.set()
        assert await anext(stream) == ChatDelta(TEXT)
        await stream.aclose()


async def test_thoughts_and_figures_on_the_way_are_not_handed_on():
    call = ToolCallDelta(0, "call_1", "multiply")
    script = [
        OPENING,
        ChatDelta(reasoning=THOUGHT),
        ChatDelta(TEXT, reasoning=THOUGHT, usage_so_far=TokenUsage(300, 9)),
        ChatDelta(tool_calls=(call,), usage_so_far=TokenUsage(300, 12)),
        ChatDelta(finish_reason=FinishReason.STOP, usage_so_far=TokenUsage(300, 14)),
        ChatDelta(usage_so_far=TokenUsage(300, 14)),
        ChatDelta(usage=TokenUsage(300, 15)),
    ]
    async with desk_with(ScriptedChatModel(script)) as desk:
        model = await desk.omni.chat.chat_model(desk.principal, "scripted")
        assert [delta async for delta in model.stream(QUESTION)] == [
            ChatDelta(TEXT),
            ChatDelta(tool_calls=(call,)),
            ChatDelta(finish_reason=FinishReason.STOP),
            ChatDelta(usage=TokenUsage(300, 15)),
        ]
        answer = await model.complete(QUESTION)
        assert (answer.message.text, answer.reasoning) == (TEXT, "")
        assert [event.quantities.output for event in await desk.usage()] == [15, 15]


async def test_a_plain_answer_whose_figures_cannot_be_true_is_charged_for_its_thought():
    script = [ChatDelta(reasoning=THOUGHT), ChatDelta(TEXT), ChatDelta(usage=TokenUsage(-1, 5))]
    async with desk_with(ScriptedChatModel(script)) as desk:
        answer = await desk.omni.chat.complete(desk.principal, QUESTION)
        assert answer.response.usage == TokenUsage(INPUT, estimate_tokens(THOUGHT + TEXT), estimated=True)


def chunk(**delta: str) -> bytes:
    return msgspec.json.encode({"choices": [{"delta": delta}]})


def counted(tokens: int, **delta: str) -> bytes:
    usage = {"prompt_tokens": 300, "completion_tokens": tokens}
    return msgspec.json.encode({"choices": [{"delta": delta}] if delta else [], "usage": usage})


def test_what_arrives_together_is_one_piece_whose_figures_count_all_of_it():
    batch = [
        chunk(reasoning="Six "),
        chunk(reasoning_content="sevens"),
        chunk(content="Forty"),
        counted(7, content="-"),
    ]
    assert list(pieces_of(OpenAIReader(QUESTION), batch)) == [
        ChatDelta("Forty-", reasoning="Six sevens", usage_so_far=TokenUsage(300, 7))
    ]


def test_figures_never_count_what_came_after_them():
    batch = [counted(3, content="For"), counted(5, content="ty"), chunk(content="-"), chunk(content="two")]
    assert list(pieces_of(OpenAIReader(QUESTION), batch)) == [
        ChatDelta("Forty", usage_so_far=TokenUsage(300, 5)),
        ChatDelta("-two"),
    ]


def test_figures_that_come_with_the_end_are_told_once():
    reader = OpenAIReader(QUESTION)
    end = msgspec.json.encode({"choices": [{"delta": {}, "finish_reason": "stop"}]})
    pieces = list(pieces_of(reader, [chunk(content="Forty"), end, counted(7), b"[DONE]"]))
    assert pieces == [ChatDelta("Forty"), ChatDelta(finish_reason=FinishReason.STOP)]
    assert reader.end() == TokenUsage(300, 7)


def test_what_came_before_a_fault_keeps_its_figures():
    pieces = pieces_of(OpenAIReader(QUESTION), [chunk(reasoning="Six"), counted(7), b"{"])
    assert next(pieces) == ChatDelta(reasoning="Six", usage_so_far=TokenUsage(300, 7))
    with pytest.raises(msgspec.DecodeError):
        next(pieces)


def test_anthropics_opening_counts_the_input_and_its_end_all_of_it():
    reader = AnthropicReader(QUESTION)
    opening = {"input_tokens": 40, "cache_read_input_tokens": 60, "output_tokens": 8}
    start = {"type": "message_start", "message": {"usage": opening}}
    thinking = {"type": "content_block_start", "content_block": {"type": "thinking", "thinking": "Six "}}
    delta = {"type": "content_block_delta", "delta": {"type": "thinking_delta", "thinking": "sevens"}}
    end = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 90}}
    batch = [msgspec.json.encode(event) for event in (start, thinking, delta, end)]
    assert list(pieces_of(reader, batch)) == [
        ChatDelta(usage_so_far=TokenUsage(100, cached_input_tokens=60)),
        ChatDelta(reasoning="Six sevens"),
        ChatDelta(finish_reason=FinishReason.STOP, usage_so_far=TokenUsage(100, 90, cached_input_tokens=60)),
    ]
    assert reader.end() == TokenUsage(100, 90, cached_input_tokens=60)
