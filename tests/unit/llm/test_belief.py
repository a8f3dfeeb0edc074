"""Figures beyond what a model can do are not charged; honest ones are, whatever nobody said about the model."""

from typing import Any

import pytest
from structlog.testing import capture_logs

from omni_core import OPERATOR, AddModel, ChatRequest, Message, Role
from omni_core.adapters.telemetry.metrics import Metrics
from omni_core.domain.llm.api import ChatDelta, FinishReason, TokenUsage
from omni_core.domain.llm.belief import Doubt, doubt_of
from omni_core.domain.llm.catalogue import DEFAULT_CONTEXT_LENGTH, DEFAULT_MAX_OUTPUT_TOKENS
from omni_core.domain.llm.counting import estimate_input_tokens, estimate_tokens
from omni_core.domain.metering.api import CallStatus, EstimateReason, Quantities, UsageEvent
from omni_core.testing.builders.llm import a_model
from omni_core.testing.scripted_model import ScriptedChatModel
from tests.unit.llm.conftest import PRICES, Desk, desk_with

QUESTION = ChatRequest("known", (Message.of(Role.USER, "What is six times seven?"),))
BOTH = {"is_context_declared": True, "is_output_declared": True}
CONTEXT, OUTPUT = EstimateReason.BEYOND_CONTEXT, EstimateReason.BEYOND_OUTPUT


def reason(usage: TokenUsage, sent: int | None = None, **model: Any) -> EstimateReason | None:
    known = a_model(**{"context_length": 10_000, "max_output_tokens": 1_000, **model})
    doubt = doubt_of(usage, known, ChatRequest("known", QUESTION.messages, max_output_tokens=sent))
    assert doubt is None or doubt.figures == usage
    return doubt.reason if doubt is not None else None


@pytest.mark.parametrize(
    "usage,expected",
    [
        (TokenUsage(10_000, 1_000), None),
        # A tenth and 64 tokens more are within the margin.
        (TokenUsage(11_064, 1_164), None),
        (TokenUsage(11_065, 1_000), CONTEXT),
        (TokenUsage(10_000, 1_165), OUTPUT),
        (TokenUsage(10, 10, cached_input_tokens=6_000, cache_write_tokens=6_000), CONTEXT),
        (TokenUsage(10, 10, audio_input_tokens=12_000), CONTEXT),
        (TokenUsage(10, 10, audio_output_tokens=2_000), OUTPUT),
        # Thinking is output, which no model can give more of than it can give.
        (TokenUsage(10, 2_000, reasoning_tokens=1_900), OUTPUT),
        (TokenUsage(-1, 10), EstimateReason.IMPOSSIBLE),
        (TokenUsage(10, 10, reasoning_tokens=-1), EstimateReason.IMPOSSIBLE),
    ],
)
def test_figures_are_held_against_what_was_said_of_the_model(usage: TokenUsage, expected: EstimateReason | None):
    assert reason(usage, **BOTH) is expected


@pytest.mark.parametrize("usage", [TokenUsage(900_000, 10), TokenUsage(10, 60_000)])
def test_a_limit_that_is_only_a_default_refuses_nothing(usage: TokenUsage):
    assert reason(usage) is None
    assert reason(TokenUsage(10**8 + 1, 10)) is EstimateReason.IMPOSSIBLE


@pytest.mark.parametrize(
    "usage,sent,expected",
    [
        (TokenUsage(10, 110), 100, None),
        (TokenUsage(10, 500), 100, OUTPUT),
        # Thinking that the provider counts apart may go beyond a limit that it keeps for the words of its answer.
        (TokenUsage(10, 900, reasoning_tokens=800), 100, None),
        # What a caller asked for and the provider took is no less true for what somebody wrote into the catalogue.
        (TokenUsage(10, 5_000), 5_000, None),
        (TokenUsage(10, 6_000), 5_000, OUTPUT),
    ],
)
def test_the_limit_that_was_sent_binds_the_provider(usage: TokenUsage, sent: int, expected: EstimateReason | None):
    assert reason(usage, sent, **BOTH) is expected


def test_thinking_beyond_the_limit_that_was_sent_fits_into_the_context_at_most():
    thought = TokenUsage(10, 12_000, reasoning_tokens=11_950)
    assert reason(thought, 100) is None
    assert reason(thought, 100, is_context_declared=True) is OUTPUT


def test_omnis_own_model_is_believed():
    assert reason(TokenUsage(400_000, 5_000), provider="omni", **BOTH) is None


async def ask(desk: Desk, *, streamed: bool, **model: Any) -> None:
    await desk.omni.catalogue.add_model(OPERATOR, AddModel("known", "somewhere", PRICES, **model))
    if streamed:
        async for _ in await desk.omni.chat.stream(desk.principal, QUESTION, request_id="req-7"):
            pass
    else:
        await desk.omni.chat.complete(desk.principal, QUESTION, request_id="req-7")


@pytest.mark.parametrize("streamed", [False, True])
async def test_what_is_not_believed_is_charged_by_an_estimate_marked_and_told(streamed: bool):
    said = TokenUsage(5_000, 7)
    script = [ChatDelta("Forty-two."), ChatDelta(finish_reason=FinishReason.STOP), ChatDelta(usage=said)]
    metrics = Metrics()
    async with desk_with(ScriptedChatModel(script), metrics.instrument) as desk:
        desk.omni.chat.witnessed_by(metrics.usage)
        with capture_logs() as entries:
            await ask(desk, streamed=streamed, context_length=4_000, max_output_tokens=1_000)
        (event,) = await desk.usage()
    charged = Quantities(input=estimate_input_tokens(QUESTION), output=estimate_tokens("Forty-two."), request=1)
    assert (event.status, event.quantities) == (CallStatus.COMPLETED, charged)
    assert (event.estimated, event.estimate_reason) == (True, CONTEXT)
    (entry,) = [entry for entry in entries if entry["event"] == "usage not believed"]
    assert (entry["log_level"], entry["reason"], entry["request_id"]) == ("warning", "beyond_context", "req-7")
    assert (entry["event_id"], entry["tenant_id"]) == (str(event.id), str(event.tenant_id))
    assert (entry["told"]["input_tokens"], entry["charged"]["input"]) == (5_000, charged.input)
    counted = metrics.exposition().decode()
    assert 'omni_llm_usage_doubted_total{provider="somewhere",reason="beyond_context"} 1.0' in counted
    assert f'omni_llm_tokens_total{{direction="input",provider="somewhere"}} {charged.input}.0' in counted


async def test_a_witness_that_fails_takes_no_record_back(desk: Desk):
    def fail(event: UsageEvent, doubt: Doubt | None) -> None:
        raise LookupError

    desk.omni.chat.witnessed_by(fail)
    with pytest.raises(LookupError):
        await ask(desk, streamed=False)
    assert [event.model for event in await desk.usage()] == ["known"]


@pytest.mark.parametrize("limits", [{}, {"context_length": 200_000}])
async def test_honest_figures_beyond_a_default_are_charged_as_they_are(limits: dict[str, int]):
    said = TokenUsage(150_000, 20_000)
    assert said.input_tokens > DEFAULT_CONTEXT_LENGTH
    assert said.output_tokens > DEFAULT_MAX_OUTPUT_TOKENS
    script = [ChatDelta("Forty-two.", finish_reason=FinishReason.STOP, usage=said)]
    async with desk_with(ScriptedChatModel(script)) as desk:
        with capture_logs() as entries:
            await ask(desk, streamed=False, **limits)
        (event,) = await desk.usage()
    assert (event.quantities.input, event.quantities.output) == (150_000, 20_000)
    assert (event.estimated, event.estimate_reason) == (False, None)
    assert not [entry for entry in entries if entry["event"] == "usage not believed"]


async def test_figures_on_the_way_are_held_against_the_model_too():
    script = [
        ChatDelta("Forty", usage_so_far=TokenUsage(40, 2)),
        ChatDelta("-two.", usage_so_far=TokenUsage(5_000, 4)),
        ChatDelta("!"),
    ]
    async with desk_with(ScriptedChatModel(script)) as desk:
        await desk.omni.catalogue.add_model(OPERATOR, AddModel("known", "somewhere", PRICES, context_length=4_096))
        stream = await desk.omni.chat.stream(desk.principal, QUESTION)
        while (await anext(stream)).text != "!":
            pass
        await stream.aclose()
        await desk.omni.chat.settled()
        (event,) = await desk.usage()
    assert (event.status, event.estimate_reason) == (CallStatus.INTERRUPTED, CONTEXT)
    assert event.quantities == Quantities(input=40, output=2 + estimate_tokens("-two.!"), request=1)


@pytest.mark.parametrize(
    "given,declared",
    [
        ({}, (False, False)),
        ({"context_length": 128_000}, (True, False)),
        ({"max_output_tokens": 4_096}, (False, True)),
    ],
)
async def test_a_limit_that_was_given_is_told_from_a_default(desk: Desk, given: dict[str, Any], declared: Any):
    added = await desk.omni.catalogue.add_model(OPERATOR, AddModel("known", "somewhere", PRICES, **given))
    assert (added.context_length, added.max_output_tokens) == (DEFAULT_CONTEXT_LENGTH, DEFAULT_MAX_OUTPUT_TOKENS)
    assert (added.is_context_declared, added.is_output_declared) == declared
