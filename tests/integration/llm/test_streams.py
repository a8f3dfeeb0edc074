"""A stream holds no more than it must, and its connection no longer than it must."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing

import msgspec
import pytest

from omni_core.domain.kernel.errors import OmniError
from omni_core.domain.llm.counting import estimate_tokens
from omni_core.domain.llm.limits import Limits
from omni_core.domain.llm.model import ChatRequest, FinishReason, Message, Role, TokenUsage
from omni_core.domain.llm.places import PlacedChatModel, Places
from omni_core.testing.builders.kernel import a_tenant_id
from omni_core.testing.upstream import Script


def asked(model: str) -> ChatRequest:
    return ChatRequest(model, (Message.of(Role.USER, "hi"),))


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - what is waited for happens in a socket, which sets no event
            await asyncio.sleep(0.005)


async def test_closing_a_stream_stops_the_provider(connect, upstream):
    upstream.script("long", Script(text="word " * 1000, pieces=1000, delay_s=0.01))
    async with aclosing(connect().stream(asked("long"))) as stream:
        while not (await anext(stream)).text:
            pass
    await until(lambda: upstream.calls[-1].hung_up)
    assert not upstream.calls[-1].answered
    assert upstream.connections == 0


async def test_cancelling_a_reader_stops_the_provider(connect, upstream):
    async def read() -> None:
        async for _ in connect().stream(asked("long")):
            begun.set()

    upstream.script("long", Script(text="word " * 1000, pieces=1000, delay_s=0.01))
    begun = asyncio.Event()
    reading = asyncio.create_task(read())
    await begun.wait()
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    await until(lambda: upstream.calls[-1].hung_up)


async def test_cancelling_a_call_stops_the_provider(connect, upstream):
    calling = asyncio.create_task(connect().complete(asked("hang")))
    await until(lambda: upstream.calls)
    calling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await calling
    await until(lambda: upstream.calls[-1].hung_up)


async def test_an_answer_is_not_read_ahead(connect, upstream):
    upstream.script("endless", Script(text="x" * 40_000_000, pieces=2000))
    async with aclosing(connect().stream(asked("endless"))) as stream:
        await anext(stream)
        await asyncio.sleep(0.5)
        assert not upstream.calls[-1].answered
    await until(lambda: upstream.calls[-1].hung_up)


async def test_one_connection_serves_call_after_call(connect, upstream):
    model = connect()
    for _ in range(5):
        await model.complete(asked("any"))
        assert [delta async for delta in model.stream(asked("any"))]
    assert upstream.connections == 1


@pytest.mark.parametrize("fault", ["hang", "stall", "huge", "cut", "down"])
async def test_a_broken_answer_leaves_no_connection_in_use(connect, upstream, fault):
    model = connect(read_timeout_s=0.2, max_connections=1)
    for _ in range(2):
        with pytest.raises(OmniError):
            await model.complete(asked(fault))
    assert (await model.complete(asked("any"))).message.text
    assert upstream.connections == 1


async def test_connections_are_limited(connect, upstream):
    upstream.script("pause", Script(first_delay_s=0.05))
    model = PlacedChatModel(connect(), Places("vendor", Limits(max_connections=3)), a_tenant_id())
    await asyncio.gather(*(model.complete(asked("pause")) for _ in range(9)))
    assert upstream.connections == 3


async def test_closing_gives_back_all_connections(connect, upstream):
    model = connect()
    await asyncio.gather(*(model.complete(asked("any")) for _ in range(4)))
    await model.aclose()
    await until(lambda: upstream.connections == 0)


async def test_usage_is_counted_alike_in_both_protocols(connect, upstream):
    usage = TokenUsage(
        input_tokens=1200, output_tokens=80, cached_input_tokens=1000, cache_write_tokens=150, reasoning_tokens=30
    )
    upstream.script("exact", Script(usage=usage))
    model = connect()
    assert (await model.complete(asked("exact"))).usage == usage
    assert [delta async for delta in model.stream(asked("exact"))][-1].usage == usage
    assert upstream.totals["exact"].input_tokens == 2400


async def test_usage_is_estimated_where_the_provider_tells_none(connect):
    model = connect()
    response = await model.complete(asked("no-usage"))
    last = [delta async for delta in model.stream(asked("no-usage"))][-1]
    assert response.usage.estimated
    assert response.usage.output_tokens == estimate_tokens(response.message.text)
    assert last.usage == response.usage


async def test_tool_calls_come_whole_and_in_pieces(connect):
    model = connect()
    response = await model.complete(asked("tool"))
    assert response.finish_reason is FinishReason.TOOL_CALLS
    assert [(call.id, call.name) for call in response.message.tool_calls] == [
        ("call_1", "get_weather"),
        ("call_2", "get_time"),
    ]
    pieces = [piece async for delta in model.stream(asked("tool")) for piece in delta.tool_calls]
    for index, call in enumerate(response.message.tool_calls):
        own = [piece for piece in pieces if piece.index == index]
        assert [(piece.id, piece.name) for piece in own if piece.id] == [(call.id, call.name)]
        arguments = "".join(piece.arguments for piece in own)
        assert msgspec.json.decode(arguments) == msgspec.json.decode(call.arguments)


@pytest.mark.parametrize("reason", [FinishReason.STOP, FinishReason.LENGTH, FinishReason.CONTENT_FILTER])
async def test_the_reason_of_the_end_is_kept(connect, upstream, reason):
    upstream.script("ends", Script(finish_reason=reason))
    model = connect()
    assert (await model.complete(asked("ends"))).finish_reason is reason
    told = [delta.finish_reason async for delta in model.stream(asked("ends"))]
    assert [one for one in told if one is not None] == [reason]


async def test_answers_keep_their_characters_however_they_are_cut(connect):
    text = "Grüße, 世界 👩‍🚀 \u2028 \r\n data: [DONE]\n\n"
    model = connect()
    request = ChatRequest("echo", (Message.of(Role.USER, text),))
    assert (await model.complete(request)).message.text == text
    assert "".join([delta.text async for delta in model.stream(request)]) == text
