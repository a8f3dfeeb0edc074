"""Under a key of the client's a call is made once, paid for once, and answered again."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest

from omni_core import (
    OPERATOR,
    AddModel,
    AddProvider,
    ChatAnswer,
    ChatDelta,
    ChatRequest,
    CreateTenant,
    Message,
    Omni,
    Principal,
    Role,
    SetBudget,
    Settings,
    Window,
)
from omni_core.bootstrap.settings.llm import LlmSettings
from omni_core.domain.budgets.api import BudgetExhausted
from omni_core.domain.kernel.errors import MissingScope
from omni_core.domain.kernel.tenancy import Scope
from omni_core.domain.llm.api import AnswerNotKept, CallUnderWay, IdempotencyKeyReused, InvalidIdempotencyKey
from omni_core.domain.llm.errors import ProviderGarbage, ProviderTimeout, UnknownModel
from omni_core.domain.metering.api import CallStatus
from omni_core.testing.scripted_model import ANSWER, ScriptedChatModel
from tests.unit.llm.conftest import PRICES, Desk

QUESTION = ChatRequest("scripted", (Message.of(Role.USER, "What is six times seven?"),))
OTHER = ChatRequest("scripted", (Message.of(Role.USER, "What is six times eight?"),))


@asynccontextmanager
async def desk_keeping(model: ScriptedChatModel, **kept: Any) -> AsyncIterator[Desk]:
    settings = Settings(llm=LlmSettings(**kept))
    async with Omni.open(settings, memory=True, chat_models={"scripted": model.factory}) as omni:
        tenant = await omni.tenants.create(OPERATOR, CreateTenant("acme", "Acme"))
        await omni.catalogue.add_provider(OPERATOR, AddProvider("somewhere", "scripted"))
        await omni.catalogue.add_model(OPERATOR, AddModel("scripted", "somewhere", PRICES, max_output_tokens=1000))
        yield Desk(omni, omni.operator(tenant.id), model)


async def ask(desk: Desk, key: str | None = "k", request: ChatRequest = QUESTION) -> ChatAnswer:
    return await desk.omni.chat.complete(desk.principal, request, idempotency_key=key)


async def read(desk: Desk, key: str = "k", request: ChatRequest = QUESTION) -> tuple[list[ChatDelta], Any, bool]:
    stream = await desk.omni.chat.stream(desk.principal, request, idempotency_key=key)
    return [piece async for piece in stream], stream.id, stream.is_replay


async def test_who_asks_again_gets_the_same_answer_paid_for_once(desk: Desk):
    first, second = await ask(desk), await ask(desk)
    assert (first.is_replay, second.is_replay) == (False, True)
    assert msgspec.structs.replace(second, is_replay=False) == first
    assert len(desk.model.requests) == 1
    assert [event.id for event in await desk.usage()] == [first.id]


async def test_an_answer_without_a_key_bears_the_id_of_its_usage(desk: Desk):
    answers = [await ask(desk, None), await ask(desk, None)]
    assert {event.id for event in await desk.usage()} == {answer.id for answer in answers}
    stream = await desk.omni.chat.stream(desk.principal, QUESTION)
    assert [piece async for piece in stream] == list(ANSWER)
    assert (await desk.usage())[0].id == stream.id


async def test_a_stream_is_sent_again_piece_by_piece(desk: Desk):
    first, second = await read(desk), await read(desk)
    assert first[0] == second[0] == list(ANSWER)
    assert (first[1], first[2]) == ((await desk.usage())[0].id, False)
    assert (second[1], second[2]) == (first[1], True)
    assert len(desk.model.requests) == 1


@pytest.mark.parametrize("streamed", [False, True])
async def test_of_twenty_at_once_one_is_made(desk: Desk, streamed: bool):
    desk.model.hold.clear()
    asking = [asyncio.ensure_future(read(desk) if streamed else ask(desk)) for _ in range(20)]
    await asyncio.sleep(0.05)
    assert len(desk.model.requests) == 1
    desk.model.hold.set()
    answers: list[Any] = await asyncio.gather(*asking)
    replays = [answer[2] if streamed else answer.is_replay for answer in answers]
    assert sorted(replays) == [False] + [True] * 19
    said = [msgspec.json.encode(answer[:2] if streamed else (answer.id, answer.response)) for answer in answers]
    assert len(set(said)) == 1
    assert len(desk.model.requests) == len(await desk.usage()) == 1


async def test_something_else_under_the_key_is_refused_and_not_called(desk: Desk):
    await ask(desk)
    with pytest.raises(IdempotencyKeyReused):
        await ask(desk, request=OTHER)
    with pytest.raises(IdempotencyKeyReused):
        await read(desk)
    assert len(desk.model.requests) == 1
    assert not (await ask(desk, "another", OTHER)).is_replay


async def test_something_else_is_refused_while_the_call_is_under_way(desk: Desk):
    desk.model.hold.clear()
    asking = asyncio.create_task(ask(desk))
    await asyncio.sleep(0)
    with pytest.raises(IdempotencyKeyReused):
        await ask(desk, request=OTHER)
    desk.model.hold.set()
    await asking


async def test_a_key_is_its_callers_own(desk: Desk):
    tenant = await desk.omni.tenants.create(OPERATOR, CreateTenant("other", "Other"))
    somebody = Principal(desk.principal.tenant_id, "key:somebody", frozenset({Scope.CHAT}))
    for principal in (desk.principal, desk.omni.operator(tenant.id), somebody):
        answer = await desk.omni.chat.complete(principal, QUESTION, idempotency_key="k")
        assert not answer.is_replay
    assert len(desk.model.requests) == 3


@pytest.mark.parametrize("key", ["", "a b", "é", "x" * 256])
async def test_a_key_that_is_none_is_refused(desk: Desk, key: str):
    for asking in (ask(desk, key), read(desk, key)):
        with pytest.raises(InvalidIdempotencyKey):
            await asking
    assert desk.model.requests == []


async def test_a_key_gives_no_scope(desk: Desk):
    await ask(desk)
    reader = Principal(desk.principal.tenant_id, desk.principal.subject, frozenset({Scope.USAGE_READ}))
    with pytest.raises(MissingScope):
        await desk.omni.chat.complete(reader, QUESTION, idempotency_key="k")


# ------------------------------------------------------------------ who leaves


async def test_a_stream_whose_reader_leaves_is_brought_to_its_end(desk: Desk):
    desk.model.hold.clear()
    stream = await desk.omni.chat.stream(desk.principal, QUESTION, idempotency_key="k")
    assert (await anext(stream)).text == "Forty"
    await stream.aclose()
    desk.model.hold.set()
    await desk.omni.chat.settled()
    assert [event.status for event in await desk.usage()] == [CallStatus.COMPLETED]
    assert (await read(desk))[0] == list(ANSWER)
    assert len(desk.model.requests) == len(await desk.usage()) == 1


async def test_who_comes_back_early_reads_on_from_the_beginning(desk: Desk):
    desk.model.hold.clear()
    stream = await desk.omni.chat.stream(desk.principal, QUESTION, idempotency_key="k")
    await stream.aclose()
    again = asyncio.create_task(read(desk))
    await asyncio.sleep(0.01)
    desk.model.hold.set()
    pieces, call_id, is_replay = await again
    assert (pieces, call_id, is_replay) == (list(ANSWER), stream.id, True)


async def test_who_gives_up_an_answer_gets_it_later(desk: Desk):
    desk.model.hold.clear()
    asking = asyncio.create_task(ask(desk))
    await asyncio.sleep(0.01)
    asking.cancel()
    await asyncio.wait([asking])
    desk.model.hold.set()
    assert (await ask(desk)).is_replay
    assert len(desk.model.requests) == len(await desk.usage()) == 1


async def test_the_end_of_a_stream_is_held_back_until_it_is_kept(desk: Desk):
    stream = await desk.omni.chat.stream(desk.principal, QUESTION, idempotency_key="k")
    async for piece in stream:
        if piece.finish_reason is not None:
            # Whoever has seen this can rely on it: another reader of the storage finds the whole.
            break
    assert (await read(desk))[0] == list(ANSWER)


# ------------------------------------------------------------------ what fails


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_call_that_brought_nothing_may_be_tried_again(streamed: bool):
    async with desk_keeping(ScriptedChatModel([ProviderTimeout("too slow")])) as desk:
        for _ in range(2):
            with pytest.raises(ProviderTimeout, match="too slow"):
                await (read(desk) if streamed else ask(desk))
        assert len(desk.model.requests) == 2
        assert await desk.usage() == ()


async def test_a_refusal_is_not_kept(desk: Desk):
    await desk.omni.budgets.create(desk.principal, SetBudget(Window.DAY, "0.01"))
    for request in (QUESTION, OTHER):
        with pytest.raises(BudgetExhausted):
            await ask(desk, request=request)
    assert desk.model.requests == []


async def test_an_unknown_model_is_refused_until_there_is_one(desk: Desk):
    request = msgspec.structs.replace(QUESTION, model="later")
    with pytest.raises(UnknownModel):
        await ask(desk, request=request)
    await desk.omni.catalogue.add_model(OPERATOR, AddModel("later", "somewhere", PRICES))
    assert not (await ask(desk, request=request)).is_replay


async def test_an_answer_is_given_again_although_its_model_has_gone(desk: Desk):
    first = await ask(desk)
    await desk.omni.catalogue.remove_model(OPERATOR, "scripted")
    assert (await ask(desk)).response == first.response


@pytest.mark.parametrize("streamed", [False, True])
async def test_all_who_wait_hear_of_a_failure_each_by_an_error_of_its_own(streamed: bool):
    async with desk_keeping(ScriptedChatModel([ChatDelta(), ProviderTimeout("too slow", limit_s=1)])) as desk:
        desk.model.hold.clear()
        asking = [asyncio.ensure_future(read(desk) if streamed else ask(desk)) for _ in range(3)]
        await asyncio.sleep(0.01)
        desk.model.hold.set()
        errors = await asyncio.gather(*asking, return_exceptions=True)
        assert [type(error) for error in errors] == [ProviderTimeout] * 3
        assert len({id(error) for error in errors}) == 3
        assert all(isinstance(error, ProviderTimeout) and error.fields == {"limit_s": 1} for error in errors)


async def test_a_stream_that_broke_off_is_paid_for_once_and_breaks_off_again():
    async with desk_keeping(ScriptedChatModel([ChatDelta("Forty"), ProviderGarbage("broke off")])) as desk:
        for is_replay in (False, True):
            stream = await desk.omni.chat.stream(desk.principal, QUESTION, idempotency_key="k")
            assert stream.is_replay is is_replay
            assert (await anext(stream)).text == "Forty"
            with pytest.raises(ProviderGarbage, match="broke off"):
                await anext(stream)
        assert [event.status for event in await desk.usage()] == [CallStatus.FAILED]
        assert len(desk.model.requests) == 1


# ------------------------------------------------------------------ limits


async def test_others_wait_only_so_long():
    async with desk_keeping(ScriptedChatModel(), answer_wait_s=0.05) as desk:
        desk.model.hold.clear()
        asking = asyncio.create_task(ask(desk))
        await asyncio.sleep(0)
        with pytest.raises(CallUnderWay) as refused:
            await ask(desk)
        assert refused.value.fields["retry_after_s"] == 1
        assert refused.value.retryable
        desk.model.hold.set()
        assert refused.value.fields["call_id"] == str((await asking).id)


@pytest.mark.parametrize("streamed", [False, True])
async def test_an_answer_that_is_too_large_is_given_once_and_not_made_again(streamed: bool):
    async with desk_keeping(ScriptedChatModel(), answer_bytes=50) as desk:
        first = await (read(desk) if streamed else ask(desk))
        assert first
        with pytest.raises(AnswerNotKept) as refused:
            await (read(desk) if streamed else ask(desk))
        (event,) = await desk.usage()
        assert refused.value.fields == {"call_id": str(event.id)}


async def test_after_its_time_a_key_is_as_good_as_new():
    async with desk_keeping(ScriptedChatModel(), answers_kept_s=0.02) as desk:
        first = await ask(desk)
        await asyncio.sleep(0.03)
        second = await ask(desk, request=OTHER)
        assert not second.is_replay
        assert {event.id for event in await desk.usage()} == {first.id, second.id}
