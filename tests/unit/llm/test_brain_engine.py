import asyncio
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from omni_core.adapters.llm.brain import OmniBrain
from omni_core.adapters.llm.brain.engine import LONGEST_INLINE, LONGEST_INPUT
from omni_core.adapters.llm.brain.tokens import MESSAGE_OVERHEAD, count_tokens
from omni_core.domain.llm.errors import ProviderRejected, ProviderTimeout, ProviderUnavailable, UnsupportedFeature
from omni_core.domain.llm.model import (
    ChatDelta,
    ChatRequest,
    ChatResponse,
    FinishReason,
    Image,
    Message,
    ResponseFormat,
    Role,
    Tool,
)
from omni_core.domain.llm.ports import Capabilities, ProviderConfig

TEXT = "The pool opens at nine. A ticket costs four pounds. Dogs may not swim. How much does a ticket cost?"
ANSWER = "A ticket costs four pounds.\n\n[sentence 2 of 3]"


def asked(text: str = TEXT, **settings: Any) -> ChatRequest:
    return ChatRequest("omni-brain", (Message.of(Role.USER, text),), **settings)


def brain(**settings: float) -> OmniBrain:
    return OmniBrain(msgspec.structs.replace(ProviderConfig("brain", "brain"), **settings))


async def streamed(request: ChatRequest) -> list[ChatDelta]:
    return [delta async for delta in brain().stream(request)]


async def test_answers_with_exact_counts():
    response = await brain().complete(asked())
    assert response.message == Message.of(Role.ASSISTANT, ANSWER)
    assert response.finish_reason is FinishReason.STOP
    assert response.usage.input_tokens == MESSAGE_OVERHEAD + count_tokens(TEXT)
    assert response.usage.output_tokens == count_tokens(ANSWER) == 12
    assert not response.usage.estimated


async def test_stops_at_the_output_limit_where_a_token_ends():
    response = await brain().complete(asked(max_output_tokens=3))
    assert response.message.text == "A ticket costs"
    assert response.finish_reason is FinishReason.LENGTH
    assert response.usage.output_tokens == 3


async def test_an_output_limit_that_is_just_enough_is_no_limit():
    assert (await brain().complete(asked(max_output_tokens=12))).finish_reason is FinishReason.STOP


async def test_ends_before_the_first_stop_sequence():
    response = await brain().complete(asked(stop=("", "pounds", " four", "absent")))
    assert response.message.text == "A ticket costs"
    assert response.finish_reason is FinishReason.STOP


async def test_a_stop_sequence_at_the_very_beginning_leaves_an_empty_answer():
    (last,) = await streamed(asked(stop=("A",)))
    assert last.finish_reason is FinishReason.STOP
    assert last.usage is not None
    assert last.usage.output_tokens == 0


async def test_answers_in_json_on_request():
    response = await brain().complete(asked(response_format=ResponseFormat("json_object")))
    assert json.loads(response.message.text)["sentences"] == [{"message": 1, "sentence": 2}]


@pytest.mark.parametrize(
    "field, request_",
    [
        ("tools", asked(tools=(Tool("search"),))),
        ("messages", ChatRequest("m", (Message(Role.USER, (Image("https://example.org/a.png"),)),))),
        ("response_format", asked(response_format=ResponseFormat("json_schema", schema={}))),
    ],
)
async def test_refuses_what_it_cannot_do_and_names_the_field(field, request_):
    with pytest.raises(UnsupportedFeature) as refused:
        await brain().complete(request_)
    assert refused.value.fields["field"] == field
    with pytest.raises(UnsupportedFeature):
        await streamed(request_)


async def test_says_what_it_can_carry():
    assert brain().capabilities == Capabilities(tools=False, images=False, json_schema=False, sampling=False)


async def test_a_long_text_is_answered_the_same_way_in_its_thread():
    filler = " ".join(f"Lane {number} is wet." for number in range(LONGEST_INLINE))
    response = await brain().complete(asked(f"{filler} {TEXT}"))
    assert response.message.text.startswith("A ticket costs four pounds.\n")


async def test_the_loop_goes_on_while_it_computes():
    engine = brain()
    text = " ".join(f"Lane {number} is wet." for number in range(8_000))
    call = asyncio.create_task(engine.complete(asked(f"{text} Summarise the text.")))
    turns = 0
    while not call.done():
        await asyncio.sleep(0.001)
        turns += 1
    assert turns > 1
    assert call.result().message.text


async def test_refuses_more_than_it_reads():
    with pytest.raises(ProviderRejected) as refused:
        await brain().complete(asked("a" * (LONGEST_INPUT + 1)))
    assert refused.value.fields["field"] == "messages"


async def test_keeps_to_the_time_limit_of_its_provider():
    text = " ".join(f"Lane {number} is wet." for number in range(15_000))
    with pytest.raises(ProviderTimeout):
        await brain(first_byte_timeout_s=0.001).complete(asked(f"{text} Is it wet?"))


async def test_is_unavailable_once_closed():
    engine = brain()
    await engine.aclose()
    with pytest.raises(ProviderUnavailable):
        await engine.complete(asked())


@given(st.text(), st.text(max_size=3), st.none() | st.integers(1, 40))
def test_streams_what_it_would_have_answered_whatever_it_is_asked(text, stop, limit):
    request = asked(text, stop=(stop,), max_output_tokens=limit)

    async def both() -> tuple[ChatResponse, list[ChatDelta]]:
        return await brain().complete(request), await streamed(request)

    response, deltas = asyncio.run(both())
    assert "".join(delta.text for delta in deltas) == response.message.text
    assert [delta.usage for delta in deltas] == [None] * (len(deltas) - 1) + [response.usage]
    assert deltas[-1].finish_reason is response.finish_reason
    assert sum(count_tokens(delta.text) for delta in deltas) == response.usage.output_tokens
    assert response.usage.output_tokens <= (limit or 10_000)
