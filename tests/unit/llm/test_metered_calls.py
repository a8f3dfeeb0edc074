"""No answer without a record, no record without an answer."""

import asyncio

import pytest

from omni_core import ChatRequest, Message, Role, SetBudget, Window
from omni_core.adapters.telemetry.metrics import Metrics
from omni_core.domain.budgets.api import BudgetExhausted
from omni_core.domain.kernel.errors import MissingScope
from omni_core.domain.kernel.tenancy import Principal, Scope
from omni_core.domain.llm.api import ChatDelta, FinishReason, TokenUsage
from omni_core.domain.llm.belief import MOST_TOKENS
from omni_core.domain.llm.counting import estimate_input_tokens, estimate_tokens
from omni_core.domain.llm.errors import ProviderGarbage, ProviderTimeout, UnknownModel
from omni_core.domain.metering.api import CallStatus, EstimateReason, Quantities
from omni_core.testing.scripted_model import ANSWER, ScriptedChatModel
from tests.unit.llm.conftest import Desk, desk_with

QUESTION = ChatRequest("scripted", (Message.of(Role.USER, "What is six times seven?"),))
# 100 tokens in at 1.00 a million, 20 out at 10.00 a million, 0.01 a request.
COST_PICOS = 100 * 1_000_000 + 20 * 10_000_000 + 10_000_000_000


async def test_a_whole_answer_is_recorded_with_what_it_cost(desk: Desk):
    answer = await desk.omni.chat.complete(desk.principal, QUESTION, request_id="req-1")
    assert answer.response.message.text == "Forty-two."
    assert desk.model.requests[0].model == "upstream-name"
    (event,) = await desk.usage()
    assert event.quantities == Quantities(input=100, output=20, request=1)
    assert event.cost_picos == COST_PICOS
    assert (event.model, event.provider, event.status) == ("scripted", "somewhere", CallStatus.COMPLETED)
    assert (event.request_id, event.estimated, event.key_id) == ("req-1", False, None)
    assert event.estimate_reason is None


async def test_a_stream_is_recorded_before_its_end_is_handed_on(desk: Desk):
    stream = await desk.omni.chat.stream(desk.principal, QUESTION)
    seen = [(delta, len(await desk.usage())) async for delta in stream]
    assert [delta for delta, _ in seen] == list(ANSWER)
    assert [recorded for _, recorded in seen] == [0, 0, 1, 1]


async def test_who_leaves_in_the_middle_pays_for_what_was_produced(desk: Desk):
    desk.model.hold.clear()
    stream = await desk.omni.chat.stream(desk.principal, QUESTION)
    assert (await anext(stream)).text == "Forty"
    await stream.aclose()
    await desk.omni.chat.settled()
    (event,) = await desk.usage()
    assert (event.status, event.estimated) == (CallStatus.INTERRUPTED, True)
    assert event.estimate_reason is EstimateReason.CUT_OFF
    assert event.quantities == Quantities(
        input=estimate_input_tokens(QUESTION), output=estimate_tokens("Forty"), request=1
    )
    assert desk.model.ended == 1


async def test_a_reader_whose_task_is_cancelled_pays_likewise(desk: Desk):
    desk.model.hold.clear()
    begun = asyncio.Event()

    async def read() -> None:
        async for _ in await desk.omni.chat.stream(desk.principal, QUESTION):
            begun.set()

    task = asyncio.create_task(read())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await desk.omni.chat.settled()
    assert [event.status for event in await desk.usage()] == [CallStatus.INTERRUPTED]


async def test_a_provider_that_breaks_off_is_paid_for_what_it_produced():
    async with desk_with(ScriptedChatModel([ChatDelta("Forty"), ProviderGarbage("broke off")])) as desk:
        stream = await desk.omni.chat.stream(desk.principal, QUESTION)
        await anext(stream)
        with pytest.raises(ProviderGarbage):
            await anext(stream)
        await desk.omni.chat.settled()
        assert [event.status for event in await desk.usage()] == [CallStatus.FAILED]


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_provider_that_fails_at_once_is_paid_nothing(streamed: bool):
    async with desk_with(ScriptedChatModel([ProviderTimeout("too slow")])) as desk:
        await desk.omni.budgets.create(desk.principal, SetBudget(Window.DAY, "1.00"))
        with pytest.raises(ProviderTimeout):
            await (desk.omni.chat.stream if streamed else desk.omni.chat.complete)(desk.principal, QUESTION)
        await desk.omni.chat.settled()
        assert await desk.usage() == ()
        (status,) = await desk.omni.budgets.list(desk.principal)
        assert status.spending.spent_picos == 0


async def test_a_provider_that_reports_nothing_is_charged_by_an_estimate_that_says_so():
    script = [ChatDelta("Forty-two."), ChatDelta(finish_reason=FinishReason.STOP)]
    async with desk_with(ScriptedChatModel(script)) as desk:
        async for _ in await desk.omni.chat.stream(desk.principal, QUESTION):
            pass
        (event,) = await desk.usage()
        assert (event.estimated, event.estimate_reason) == (True, EstimateReason.UNREPORTED)
        assert event.quantities.output == estimate_tokens("Forty-two.")


async def test_parts_of_the_input_are_each_charged_once():
    usage = TokenUsage(100, 30, 40, 10, audio_input_tokens=5, audio_output_tokens=20, reasoning_tokens=3)
    script = [ChatDelta("x", finish_reason=FinishReason.STOP, usage=usage)]
    async with desk_with(ScriptedChatModel(script)) as desk:
        await desk.omni.chat.complete(desk.principal, QUESTION)
        (event,) = await desk.usage()
        assert event.quantities == Quantities(
            input=45, cached_input=40, cache_write=10, output=10, audio_input=5, audio_output=20, request=1
        )


IMPOSSIBLE = [
    TokenUsage(-5, 7),
    TokenUsage(5, -7),
    TokenUsage(5, 7, cached_input_tokens=-1),
    TokenUsage(MOST_TOKENS + 1, 7),
    TokenUsage(10**30, 7),
]


@pytest.mark.parametrize("said", IMPOSSIBLE)
@pytest.mark.parametrize("streamed", [False, True])
async def test_figures_that_cannot_be_true_are_replaced_by_an_estimate(said: TokenUsage, streamed: bool):
    script = [ChatDelta("Forty-two."), ChatDelta(finish_reason=FinishReason.STOP), ChatDelta(usage=said)]
    metrics = Metrics()
    async with desk_with(ScriptedChatModel(script), metrics.instrument) as desk:
        desk.omni.chat.witnessed_by(metrics.usage)
        await desk.omni.budgets.create(desk.principal, SetBudget(Window.DAY, "1.00"))
        if streamed:
            (*_, last) = [delta async for delta in await desk.omni.chat.stream(desk.principal, QUESTION)]
            told = last.usage
        else:
            told = (await desk.omni.chat.complete(desk.principal, QUESTION)).response.usage
        estimate = TokenUsage(estimate_input_tokens(QUESTION), estimate_tokens("Forty-two."), estimated=True)
        assert told == estimate
        (event,) = await desk.usage()
        assert (event.estimated, event.estimate_reason) == (True, EstimateReason.IMPOSSIBLE)
        assert event.quantities == Quantities(input=estimate.input_tokens, output=estimate.output_tokens, request=1)
        (status,) = await desk.omni.budgets.list(desk.principal)
        assert status.spending.spent_picos == event.cost_picos > 0
        counted = metrics.exposition().decode()
        assert f'omni_llm_tokens_total{{direction="output",provider="somewhere"}} {estimate.output_tokens}.0' in counted
        assert 'omni_llm_usage_doubted_total{provider="somewhere",reason="impossible"} 1.0' in counted


@pytest.mark.parametrize("streamed", [False, True])
async def test_parts_that_exceed_their_whole_make_no_negative_charge(streamed: bool):
    said = TokenUsage(10, 5, cached_input_tokens=100, audio_output_tokens=6)
    async with desk_with(ScriptedChatModel([ChatDelta("x", finish_reason=FinishReason.STOP, usage=said)])) as desk:
        if streamed:
            assert [delta async for delta in await desk.omni.chat.stream(desk.principal, QUESTION)]
        else:
            await desk.omni.chat.complete(desk.principal, QUESTION)
        (event,) = await desk.usage()
        assert event.quantities == Quantities(cached_input=100, audio_output=6, request=1)
        assert not event.estimated


@pytest.mark.parametrize("limit, sent", [(None, None), ("100.00", 1000)])
async def test_only_a_budget_puts_a_limit_where_the_caller_set_none(desk: Desk, limit: str | None, sent: int | None):
    if limit is not None:
        await desk.omni.budgets.create(desk.principal, SetBudget(Window.DAY, limit))
    await desk.omni.chat.complete(desk.principal, QUESTION)
    assert [request.max_output_tokens for request in desk.model.requests] == [sent]


async def test_a_budget_that_does_not_cover_the_call_stops_it_before_the_provider(desk: Desk):
    await desk.omni.budgets.create(desk.principal, SetBudget(Window.DAY, "0.01"))
    with pytest.raises(BudgetExhausted) as refused:
        await desk.omni.chat.complete(desk.principal, QUESTION)
    assert "resets_at" in refused.value.fields
    assert desk.model.requests == []
    assert await desk.usage() == ()


async def test_without_the_scope_nothing_is_called(desk: Desk):
    reader = Principal(desk.principal.tenant_id, "key:x", frozenset({Scope.USAGE_READ}))
    with pytest.raises(MissingScope):
        await desk.omni.chat.complete(reader, QUESTION)
    assert desk.model.requests == []


async def test_an_unknown_model_is_named(desk: Desk):
    with pytest.raises(UnknownModel, match="nope"):
        await desk.omni.chat.complete(desk.principal, ChatRequest("nope", QUESTION.messages))
