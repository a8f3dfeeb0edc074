"""Fields that not every provider takes: bounded, refused by name, and paid for whatever they come to."""

import sys
from typing import Any

import pytest

from omni_core import ChatRequest, Message, Role, SetBudget, Window
from omni_core.domain.budgets.api import BudgetExhausted
from omni_core.domain.kernel.errors import InvalidValue
from omni_core.domain.llm.api import (
    Capabilities,
    ChatChoice,
    ChatDelta,
    ChatResponse,
    FinishReason,
    Text,
    TokenUsage,
    ToolCall,
)
from omni_core.domain.llm.counting import estimate_answer, estimate_tokens, upper_bound_tokens
from omni_core.domain.llm.errors import InvalidRequest, UnsupportedFeature
from omni_core.domain.llm.extra import (
    DEEPEST_EXTRA,
    LONGEST_EXTRAS,
    MOST_CHOICES,
    MOST_EXTRAS,
    MOST_PASSED,
    check_passed,
)
from omni_core.testing.scripted_model import ScriptedChatModel
from tests.unit.llm.conftest import Desk, desk_with

MESSAGES = (Message.of(Role.USER, "What is six times seven?"),)
USAGE = TokenUsage(input_tokens=100, output_tokens=60)
TAKES_ALL = Capabilities(fields=frozenset({"n", "logprobs", "top_k"}))


def nested(levels: int) -> Any:
    return [nested(levels - 1)] if levels else 1


@pytest.mark.parametrize(
    "extra",
    [
        {"top_k": 40},
        {f"field_{number}": number for number in range(MOST_EXTRAS)},
        {"deep": nested(DEEPEST_EXTRA)},
        {"long": "x" * (LONGEST_EXTRAS - 11)},
    ],
    ids=["one", "most", "deepest", "longest"],
)
def test_extra_fields_are_taken_up_to_their_limits(extra: dict[str, Any]) -> None:
    assert ChatRequest("m", MESSAGES, extra=extra).extra == extra


@pytest.mark.parametrize(
    "extra",
    [
        {f"field_{number}": number for number in range(MOST_EXTRAS + 1)},
        {"deep": nested(DEEPEST_EXTRA + 1)},
        {"deeper": nested(sys.getrecursionlimit() - 200)},
        {"long": "x" * (LONGEST_EXTRAS - 10)},
        {"no_json": object()},
        {"": 1},
        {"x" * 65: 1},
        {'a"b': 1},
        {"model": "dearer"},
        {"max_tokens": 1_000_000},
        {"n": 100},
        {"store": True},
    ],
    ids=lambda extra: next(iter(extra))[:12],
)
def test_extra_fields_beyond_the_limits_or_in_the_place_of_omnis_own_are_refused(extra: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest):
        ChatRequest("m", MESSAGES, extra=extra)


@pytest.mark.parametrize("choices", [0, -1, MOST_CHOICES + 1])
def test_choices_are_bounded(choices: int) -> None:
    with pytest.raises(InvalidRequest) as caught:
        ChatRequest("m", MESSAGES, choices=choices)
    assert caught.value.fields["field"] == "n"


@pytest.mark.parametrize("names", [["model"], ["max_tokens"], ["stream"], [""], ["a b"], ["x"] * (MOST_PASSED + 1)])
def test_a_provider_cannot_be_said_to_take_what_is_omnis_own(names: list[str]) -> None:
    with pytest.raises(InvalidValue) as caught:
        check_passed(names)
    assert caught.value.fields["field"] == "passes"


def test_a_provider_can_be_said_to_take_fields_of_a_vendor_and_of_openai() -> None:
    check_passed(["top_k", "chat_template_kwargs", "n", "prompt_cache_key", "guided_json"])


@pytest.mark.parametrize(
    "field, given",
    [
        ("n", {"choices": 2}),
        ("logprobs", {"logprobs": True}),
        ("top_logprobs", {"top_logprobs": 0}),
        ("logit_bias", {"logit_bias": {"1": 1}}),
        ("verbosity", {"verbosity": "low"}),
        ("store", {"store": True}),
        ("top_k", {"extra": {"top_k": 40}}),
    ],
)
async def test_what_a_provider_does_not_take_is_refused_by_name(desk: Desk, field: str, given: dict[str, Any]) -> None:
    with pytest.raises(UnsupportedFeature) as caught:
        await desk.omni.chat.complete(desk.principal, ChatRequest("scripted", MESSAGES, **given))
    assert caught.value.fields["field"] == field
    assert desk.model.requests == []


@pytest.mark.parametrize("given", [{"store": False}, {"extra": {"user": "u-1", "metadata": {"page": "7"}}}, {}])
async def test_what_asks_for_nothing_is_refused_by_nobody(desk: Desk, given: dict[str, Any]) -> None:
    await desk.omni.chat.complete(desk.principal, ChatRequest("scripted", MESSAGES, **given))
    assert len(desk.model.requests) == 1


def test_what_nobody_misses_is_left_out_where_it_is_not_taken() -> None:
    request = ChatRequest("m", MESSAGES, extra={"user": "u-1", "top_k": 40})
    assert TAKES_ALL.extra_of(request) == {"top_k": 40}
    assert Capabilities(fields=frozenset({"user", "top_k"})).extra_of(request) == {"user": "u-1", "top_k": 40}


async def test_a_budget_sets_aside_what_every_choice_may_cost() -> None:
    async with desk_with(ScriptedChatModel(capabilities=TAKES_ALL)) as desk:
        # A cent for the request, and a cent for each choice of 1,000 tokens; the question costs next to nothing.
        await desk.omni.budgets.create(desk.principal, SetBudget(Window.MONTH, "0.05"))
        ask = desk.omni.chat.complete
        with pytest.raises(BudgetExhausted):
            await ask(desk.principal, ChatRequest("scripted", MESSAGES, choices=4))
        await ask(desk.principal, ChatRequest("scripted", MESSAGES, choices=3))


def test_extra_fields_may_become_part_of_the_prompt() -> None:
    documents = [{"text": "word " * 1_000}]
    plain = upper_bound_tokens(ChatRequest("m", MESSAGES))
    assert upper_bound_tokens(ChatRequest("m", MESSAGES, extra={"documents": documents})) > plain + 5_000


async def test_a_choice_that_ends_is_held_back_and_the_others_go_on() -> None:
    script = [
        ChatDelta("one"),
        ChatDelta(finish_reason=FinishReason.STOP),
        ChatDelta("two", index=1),
        ChatDelta("three", index=1),
        ChatDelta(finish_reason=FinishReason.LENGTH, index=1),
        ChatDelta(usage=USAGE),
    ]
    async with desk_with(ScriptedChatModel(script, TAKES_ALL)) as desk:
        stream = await desk.omni.chat.stream(desk.principal, ChatRequest("scripted", MESSAGES, choices=2))
        seen = [(delta, len(await desk.usage())) async for delta in stream]
        assert [delta.text for delta, recorded in seen if not recorded] == ["one", "two", "three"]
        assert [delta.finish_reason for delta, recorded in seen if recorded] == ["stop", "length", None]
        (event,) = await desk.usage()
        assert event.quantities.output == 60


def test_an_estimate_counts_every_choice() -> None:
    first, *others = (
        ChatChoice(Message(Role.ASSISTANT, (Text(text),), (ToolCall(text, text, "{}"),)), FinishReason.STOP)
        for text in ("Forty-", "two", ".")
    )
    response = ChatResponse("m", first.message, FinishReason.STOP, USAGE, alternatives=tuple(others))
    assert len(response.choices) == 3
    estimate = estimate_answer(ChatRequest("m", MESSAGES), response.everything)
    assert estimate.output_tokens == estimate_tokens("Forty-two." * 2 + "{}" * 3)
