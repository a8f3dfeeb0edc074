"""No provider holds a call for longer than it may: each way of not answering ends at a deadline, which is named.

Deadlines that are not to end a call are far beyond the test's own limit, or long enough for a machine that is busy.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from omni_core.domain.kernel.errors import OmniError
from omni_core.domain.llm.errors import ProviderGarbage, ProviderTimeout
from omni_core.domain.llm.model import ChatRequest, FinishReason, Message, Role
from omni_core.domain.llm.ports import OpenChatModel
from omni_core.testing.upstream import Script

NEVER_S = 60.0
SOON_S = 0.15
LATER_S = 0.8
PATIENT = {
    "connect_timeout_s": NEVER_S,
    "first_byte_timeout_s": NEVER_S,
    "read_timeout_s": NEVER_S,
    "total_timeout_s": NEVER_S,
}
Call = Callable[[OpenChatModel, ChatRequest], Awaitable[object]]
pytestmark = pytest.mark.timeout(30)


def asked(model: str, text: str = "hi") -> ChatRequest:
    return ChatRequest(model, (Message.of(Role.USER, text),))


async def completed(model: OpenChatModel, request: ChatRequest) -> object:
    return await model.complete(request)


async def streamed(model: OpenChatModel, request: ChatRequest) -> object:
    return [delta async for delta in model.stream(request)]


@pytest.fixture
def kind() -> str:
    """Both protocols share the transport that is tested here, and whole answers and streams the way to their head."""
    return "openai"


@pytest.fixture(params=[completed, streamed], ids=["whole", "stream"])
def call(request):
    return request.param


async def ended_by(call: Call, model: OpenChatModel, request: ChatRequest) -> tuple[str, float]:
    """Return the deadline that ended a call, and how long it said that it was."""
    with pytest.raises(OmniError) as caught:
        await call(model, request)
    error = caught.value
    assert type(error) is ProviderTimeout
    assert error.fields["provider"] == "vendor"
    assert "'vendor'" in error.detail
    assert error.fields["limit"] in error.detail
    return error.fields["limit"], error.fields["limit_s"]


@pytest.mark.parametrize("fault", ["hang", "interim", "interims", "drip-head"])
async def test_an_answer_that_never_begins_ends_at_the_first_byte(connect, fault):
    model = connect(**{**PATIENT, "first_byte_timeout_s": SOON_S})
    assert await ended_by(completed, model, asked(fault)) == ("first_byte_timeout_s", SOON_S)


async def test_an_answer_that_falls_silent_ends_there(connect, call):
    model = connect(**{**PATIENT, "read_timeout_s": SOON_S})
    assert await ended_by(call, model, asked("stall")) == ("read_timeout_s", SOON_S)


@pytest.mark.parametrize("fault", ["drip", "pings"])
async def test_bytes_that_come_to_nothing_end_with_the_whole_call(connect, call, fault):
    model = connect(**{**PATIENT, "read_timeout_s": LATER_S / 2, "total_timeout_s": LATER_S})
    assert await ended_by(call, model, asked(fault)) == ("total_timeout_s", LATER_S)


@pytest.mark.parametrize("fault", ["hang", "interims", "stall", "drip", "pings"])
async def test_the_whole_call_ends_whatever_it_waits_for(connect, call, fault):
    model = connect(**{**PATIENT, "total_timeout_s": SOON_S})
    assert await ended_by(call, model, asked(fault)) == ("total_timeout_s", SOON_S)


async def test_a_stream_without_end_ends_with_the_whole_call(connect, upstream):
    upstream.script("chatty", Script(text="word " * 2000, pieces=2000, delay_s=0.01))
    stream = connect(**{**PATIENT, "total_timeout_s": SOON_S}).stream(asked("chatty"))
    assert (await anext(stream)).text  # what was produced until then was handed on
    with pytest.raises(ProviderTimeout) as caught:
        await anext(delta async for delta in stream if delta.usage)
    assert caught.value.fields["limit"] == "total_timeout_s"


async def test_the_first_byte_and_silence_are_two_deadlines(connect, upstream):
    """A model that thinks for longer than it may be silent later is not given up, whatever it says in between."""
    upstream.script("thinker", Script(first_delay_s=1.5 * LATER_S, interim=(100, 102, 103)))
    assert await completed(connect(**{**PATIENT, "read_timeout_s": LATER_S}), asked("thinker"))


async def test_silence_is_counted_from_the_last_byte(connect, upstream):
    upstream.script("slow", Script(pieces=10, delay_s=LATER_S / 8))
    model = connect(**{**PATIENT, "read_timeout_s": LATER_S})
    assert FinishReason.STOP in [delta.finish_reason async for delta in model.stream(asked("slow"))]


async def test_who_reads_slowly_is_not_taken_for_a_silent_provider(connect, upstream):
    upstream.script("quick", Script(text="x" * 3_000_000, pieces=300))
    size = 0
    async for delta in connect(**{**PATIENT, "read_timeout_s": LATER_S}).stream(asked("quick")):
        if not size:
            await asyncio.sleep(1.5 * LATER_S)
        size += len(delta.text)
    assert size == 3_000_000


async def test_interim_responses_are_no_answer(connect, upstream):
    upstream.script("polite", Script(interim=(100, 102, 103), first_delay_s=0.01))
    assert await completed(connect(**PATIENT), asked("polite"))


async def test_another_protocol_is_no_answer(connect, upstream):
    upstream.script("switch", Script(status=101))
    with pytest.raises(ProviderGarbage):
        await completed(connect(**{**PATIENT, "total_timeout_s": 5.0}), asked("switch"))


@asynccontextmanager
async def silent_server(*, is_reading: bool) -> AsyncIterator[int]:
    """Listen on a port, accept, and never say a word."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not is_reading:
            writer.transport.pause_reading()  # type: ignore[attr-defined]
        await stop.wait()
        writer.transport.abort()

    stop = asyncio.Event()
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        stop.set()
        server.close()
        await server.wait_closed()


async def test_a_handshake_that_hangs_ends_with_connecting(connect):
    async with silent_server(is_reading=True) as port:
        model = connect(**{**PATIENT, "base_url": f"https://127.0.0.1:{port}", "connect_timeout_s": SOON_S})
        assert await ended_by(completed, model, asked("any")) == ("connect_timeout_s", SOON_S)


@pytest.mark.parametrize("limit", ["connect_timeout_s", "total_timeout_s"])
async def test_a_connection_that_nobody_accepts_ends_in_time(connect, limit):
    """A full backlog leaves a connection attempt unanswered, as a firewall that drops packets does."""
    with socket.socket() as deaf, socket.socket() as first, socket.socket() as second:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        for filler in (first, second):
            filler.setblocking(False)
            filler.connect_ex(deaf.getsockname())
        await asyncio.sleep(0.05)
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        model = connect(**{**PATIENT, "base_url": url, limit: SOON_S})
        assert await ended_by(completed, model, asked("any")) == (limit, SOON_S)


@pytest.mark.parametrize("limit", ["read_timeout_s", "total_timeout_s"])
async def test_a_request_that_is_not_read_ends_in_time(connect, limit):
    async with silent_server(is_reading=False) as port:
        model = connect(**{**PATIENT, "base_url": f"http://127.0.0.1:{port}", limit: SOON_S})
        assert await ended_by(completed, model, asked("any", "x" * 16_000_000)) == (limit, SOON_S)


async def test_the_first_byte_is_awaited_from_the_end_of_a_large_request(connect):
    async with silent_server(is_reading=True) as port:
        model = connect(**{**PATIENT, "base_url": f"http://127.0.0.1:{port}", "first_byte_timeout_s": SOON_S})
        large = asked("any", "x" * 3_000_000)
        assert await ended_by(completed, model, large) == ("first_byte_timeout_s", SOON_S)


async def test_a_call_that_was_given_up_leaves_nothing_behind(connect, upstream):
    model = connect(**{**PATIENT, "first_byte_timeout_s": 0.4, "read_timeout_s": 0.4, "total_timeout_s": LATER_S})
    for fault in ("interim", "drip-head", "stall", "drip"):
        await ended_by(completed, model, asked(fault))
    assert await completed(model, asked("good"))
    async with asyncio.timeout(5):
        while upstream.connections > 1:  # noqa: ASYNC110 - what is waited for happens in a socket
            await asyncio.sleep(0.005)
    assert all(one.hung_up for one in upstream.calls[:-1])
