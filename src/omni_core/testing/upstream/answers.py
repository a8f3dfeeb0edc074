"""Sends a scripted answer, well or badly."""

import asyncio

from omni_core.testing.upstream.http import STREAM_END, STREAM_HEAD, Connection, response
from omni_core.testing.upstream.rendering import ID, Asked, Wire
from omni_core.testing.upstream.scripts import Fault, Script

_HUGE = b'{"x":"' + b"x" * (17 * 1024 * 1024)
_DEEP = b'{"id":"1","choices":[{"index":0,"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}]}"
_WHOLE = {
    Fault.GARBAGE: b"<html>upstream exploded",
    Fault.SHAPE: b'{"choices":"none","content":7}',
    Fault.DEEP: _DEEP,
    Fault.UNFINISHED: b"{}",
    Fault.HUGE: _HUGE + b'"}',
}
_ENDLESS = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n"
_DRIP_S = 0.01
_LAST_EVENT = {
    Fault.GARBAGE: b'data: {"choices": [{"del\n\n',
    Fault.SHAPE: b'data: {"choices":"none","type":7}\n\n',
    Fault.DEEP: b"data: " + _DEEP + b"\n\n",
    Fault.HUGE: b"data: " + _HUGE,
}


def whole(wire: Wire, script: Script, number: bytes, asked: Asked) -> bytes:
    """Return the whole response of a script that answers at once."""
    if script.status != 200:
        headers = {} if script.retry_after_s is None else {"Retry-After": f"{script.retry_after_s:g}"}
        return response(wire.error(script.status, script.message), script.status, headers=headers)
    if script.fault is Fault.ERROR:
        return response(wire.error(500, script.message))
    if script.fault is Fault.REDIRECT:
        return response(b"", 307, headers={"Location": "/elsewhere"})
    if script.fault is not None:
        return response(_WHOLE[script.fault])
    return response(wire.render(script, asked.choices, logprobs=asked.logprobs).body.replace(ID, number))


async def streamed(connection: Connection, wire: Wire, script: Script, number: bytes, asked: Asked) -> None:
    """Send the answer event by event, each in a packet of its own."""
    rendered = wire.render(script, asked.choices, logprobs=asked.logprobs)
    events = [*rendered.events, rendered.end_event]
    if asked.include_usage and rendered.usage_event:
        events.insert(-1, rendered.usage_event)
    if script.fault is not None:
        del events[len(events) // 2 if script.fault_after is None else script.fault_after :]
    await connection.send(STREAM_HEAD)
    for event in events:
        await connection.send_chunk(event.replace(ID, number))
        await asyncio.sleep(script.delay_s)
    match script.fault:
        case Fault.STALL:
            await asyncio.Event().wait()  # until the caller gives up
        case Fault.CUT:
            connection.close()
            return
        case Fault.DRIP:
            await _drip(connection, b"1\r\nx\r\n", script)
        case Fault.PINGS:
            await _drip(connection, b"8\r\n: ping\n\n\r\n", script)
        case Fault.ERROR:
            await connection.send_chunk(wire.error_event(script.message))
        case Fault.GARBAGE | Fault.SHAPE | Fault.DEEP | Fault.HUGE as fault:
            await connection.send_chunk(_LAST_EVENT[fault])
    await connection.send(STREAM_END)


async def broken(connection: Connection, wire: Wire, script: Script) -> None:
    """Fail in a way that is not a response: before one, or within it."""
    answer = response(wire.render(script).body)
    match script.fault:
        case Fault.NOT_HTTP:
            await connection.send(b"220 mail.example.test ESMTP\r\n\r\n")
            connection.close()
            return
        case Fault.CUT:
            await connection.send(answer[: len(answer) - 20])
            connection.close()
            return
        case Fault.STALL:
            await connection.send(answer[: len(answer) - 20])
        case Fault.INTERIM:
            await connection.send(b"".join(map(interim, (100, 102, 103))))
        case Fault.INTERIMS:
            await _drip(connection, interim(102), script)
        case Fault.DRIP_HEAD:
            await connection.send(b"HTTP/1.1 200 OK\r\nX-Pad: ")
            await _drip(connection, b"x", script)
        case Fault.DRIP | Fault.PINGS:
            await connection.send(_ENDLESS)
            await _drip(connection, b" ", script)
    await asyncio.Event().wait()  # until the caller gives up


def interim(status: int) -> bytes:
    """Return a response after which the answer is still to come."""
    return b"HTTP/1.1 %d Wait\r\nLink: </x>\r\n\r\n" % status


async def _drip(connection: Connection, drop: bytes, script: Script) -> None:
    while True:  # until the caller gives up
        await connection.send(drop)
        await asyncio.sleep(max(script.delay_s, _DRIP_S))
