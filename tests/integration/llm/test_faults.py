"""Whatever a provider does wrong has a name, comes within its time limit, and tells no key."""

import asyncio
import socket
import time
import traceback
from collections.abc import Awaitable, Callable

import pytest

from omni_core.domain.kernel.errors import OmniError
from omni_core.domain.llm.errors import (
    ProviderGarbage,
    ProviderRateLimited,
    ProviderRefusedKey,
    ProviderRejected,
    ProviderTimeout,
    ProviderUnavailable,
)
from omni_core.domain.llm.model import ChatDelta, ChatRequest, ChatResponse, FinishReason, Message, Role
from omni_core.domain.llm.ports import OpenChatModel
from omni_core.testing.upstream import Script

KEY = "sk-integration-0123456789"
FAULTS = {
    "400": ProviderRejected,
    "404": ProviderRejected,
    "413": ProviderRejected,
    "401": ProviderRefusedKey,
    "429": ProviderRateLimited,
    "529": ProviderUnavailable,
    "down": ProviderUnavailable,
    "error": ProviderUnavailable,
    "hang": ProviderTimeout,
    "stall": ProviderTimeout,
    "cut": ProviderGarbage,
    "unfinished": ProviderGarbage,
    "garbage": ProviderGarbage,
    "shape": ProviderGarbage,
    "deep": ProviderGarbage,
    "huge": ProviderGarbage,
    "redirect": ProviderGarbage,
    "not-http": ProviderGarbage,
}

Call = Callable[[OpenChatModel, ChatRequest], Awaitable[object]]


def asked(model: str, text: str = "hi") -> ChatRequest:
    return ChatRequest(model, (Message.of(Role.USER, text),))


async def completed(model: OpenChatModel, request: ChatRequest) -> ChatResponse:
    return await model.complete(request)


async def streamed(model: OpenChatModel, request: ChatRequest) -> list[ChatDelta]:
    return [delta async for delta in model.stream(request)]


@pytest.fixture(params=[completed, streamed], ids=["whole", "stream"])
def call(request):
    return request.param


async def failure(call: Call, model: OpenChatModel, request: ChatRequest) -> OmniError:
    with pytest.raises(OmniError) as caught:
        await call(model, request)
    return caught.value


@pytest.mark.parametrize("fault", FAULTS)
async def test_each_fault_is_its_own_error(connect, call, fault):
    # Only of silence is an end in time awaited: a huge answer takes its time on a busy machine.
    patience_s = 0.2 if FAULTS[fault] is ProviderTimeout else 10.0
    error = await failure(call, connect(read_timeout_s=patience_s), asked(fault))
    assert type(error) is FAULTS[fault]
    assert error.fields["provider"] == "vendor"
    assert "vendor" in error.detail


@pytest.mark.parametrize("fault", ["hang", "stall"])
async def test_silence_ends_in_time(connect, call, fault):
    begun = time.monotonic()
    await failure(call, connect(read_timeout_s=0.3), asked(fault))
    assert 0.25 <= time.monotonic() - begun < 3


async def test_a_slow_stream_is_not_silence(connect, upstream):
    upstream.script("dripping", Script(pieces=8, delay_s=0.1))
    deltas = await streamed(connect(read_timeout_s=0.5), asked("dripping"))
    assert [delta.finish_reason for delta in deltas if delta.finish_reason] == [FinishReason.STOP]


async def test_a_model_serves_on_after_every_fault(connect, call):
    model = connect(read_timeout_s=0.2)
    for fault in FAULTS:
        await failure(call, model, asked(fault))
    assert await call(model, asked("good"))


async def test_a_refused_request_says_why(connect, call):
    error = await failure(call, connect(), asked("400"))
    assert error.detail == "Provider 'vendor' answered 400: temperature must be at most 2"
    assert error.fields["status"] == 400


async def test_a_long_reason_is_cut(connect, call, upstream):
    upstream.script("chatty", Script(status=422, message="no " * 1000))
    assert len((await failure(call, connect(), asked("chatty"))).detail) < 350


async def test_a_rate_limit_says_when_to_return(connect, call):
    assert (await failure(call, connect(), asked("429"))).fields["retry_after_s"] == 7


@pytest.mark.parametrize("key", [KEY + "-old", "wrong-key-without-a-known-prefix"])
async def test_no_key_is_told(connect, call, key):
    # The fake repeats the refused key in its message, as OpenAI does.
    error = await failure(call, connect(api_key=key), asked("any"))
    assert type(error) is ProviderRefusedKey
    assert key not in "".join(traceback.format_exception(error)) + repr(error.fields)


async def test_nobody_listens(connect, call):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        error = await failure(call, connect(base_url=url), asked("any"))
    assert type(error) is ProviderUnavailable


async def test_there_is_no_such_host(connect, call):
    error = await failure(call, connect(base_url="http://omni-upstream.invalid"), asked("any"))
    assert type(error) is ProviderUnavailable


async def test_nobody_accepts(connect, call):
    """A full backlog leaves a connection attempt unanswered, as a firewall that drops packets does."""
    with socket.socket() as deaf, socket.socket() as first, socket.socket() as second:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        for filler in (first, second):
            filler.setblocking(False)
            filler.connect_ex(deaf.getsockname())
        await asyncio.sleep(0.05)
        begun = time.monotonic()
        model = connect(base_url=f"http://127.0.0.1:{deaf.getsockname()[1]}", connect_timeout_s=0.3)
        error = await failure(call, model, asked("any"))
    assert type(error) is ProviderTimeout
    assert time.monotonic() - begun < 3


async def test_a_provider_that_stops_reading_ends_a_large_request(connect, call):
    async def read_nothing(reader, writer):
        del reader
        writer.transport.pause_reading()
        await stop.wait()
        writer.transport.abort()

    stop = asyncio.Event()
    server = await asyncio.start_server(read_nothing, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    model = connect(base_url=url, connect_timeout_s=0.1, read_timeout_s=0.2)
    error = await failure(call, model, asked("any", "x" * 16_000_000))
    stop.set()
    server.close()
    await server.wait_closed()
    assert type(error) is ProviderTimeout


async def test_a_large_request_arrives(connect, call, upstream):
    await call(connect(), asked("any", "x" * 3_000_000))
    assert len(upstream.calls[-1].body) > 3_000_000


async def test_a_closed_client_says_so(connect, call):
    unused, used = connect(), connect()
    await call(used, asked("any"))
    for model in (unused, used):
        await model.aclose()
        assert type(await failure(call, model, asked("any"))) is ProviderUnavailable
