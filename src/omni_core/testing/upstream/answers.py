"""Sends a scripted answer, well or badly."""

import asyncio
from collections.abc import Sequence

from aiohttp import web

from omni_core.testing.upstream.rendering import ID, Rendered, Wire
from omni_core.testing.upstream.scripts import Fault, Script

_SSE = {"Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-cache"}
_HUGE = b'{"x":"' + b"x" * (17 * 1024 * 1024)
_WHOLE = {
    Fault.GARBAGE: b"<html>upstream exploded",
    Fault.SHAPE: b'{"choices":"none","content":7}',
    Fault.UNFINISHED: b"{}",
    Fault.HUGE: _HUGE + b'"}',
}
_LAST_EVENT = {
    Fault.GARBAGE: b'data: {"choices": [{"del\n\n',
    Fault.SHAPE: b'data: {"choices":"none","type":7}\n\n',
    Fault.HUGE: b"data: " + _HUGE,
    Fault.UNFINISHED: b"",
}


def refusal(wire: Wire, script: Script) -> web.Response:
    """Return the answer of a script with an error status."""
    headers = {} if script.retry_after_s is None else {"Retry-After": f"{script.retry_after_s:g}"}
    return json(wire.error(script.status, script.message), script.status, headers)


def json(body: bytes, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """Return a JSON response."""
    return web.Response(body=body, status=status, headers=headers, content_type="application/json")


async def whole(request: web.BaseRequest, wire: Wire, script: Script, number: bytes) -> web.StreamResponse:
    """Return the answer in one piece."""
    match script.fault:
        case None:
            return json(wire.render(script).body.replace(ID, number))
        case Fault.ERROR:
            return json(wire.error(500, script.message))
        case Fault.STALL | Fault.CUT as fault:
            body = wire.render(script).body
            response = web.StreamResponse(headers={"Content-Length": f"{len(body)}"})
            response.content_type = "application/json"
            await response.prepare(request)
            await response.write(body[: len(body) // 2])
            return await _fail_midway(request, response, fault)
        case Fault.HANG | Fault.REDIRECT | Fault.NOT_HTTP as fault:
            return await _fail_first(request, fault)
        case fault:
            return json(_WHOLE[fault])


async def streamed(
    request: web.BaseRequest, wire: Wire, script: Script, number: bytes, *, include_usage: bool
) -> web.StreamResponse:
    """Send the answer event by event, and return the response."""
    if script.fault in {Fault.HANG, Fault.REDIRECT, Fault.NOT_HTTP}:
        return await _fail_first(request, script.fault)
    response = web.StreamResponse(headers=_SSE)
    await response.prepare(request)
    rendered = wire.render(script)
    if script.fault is None:
        await _send(response, _events(rendered, include_usage=include_usage), number, script.delay_s)
        return response
    await _send(response, rendered.events[: len(rendered.events) // 2], number, script.delay_s)
    if script.fault is Fault.ERROR:
        await response.write(wire.error_event(script.message))
    elif script.fault in _LAST_EVENT:
        await response.write(_LAST_EVENT[script.fault])
    else:
        return await _fail_midway(request, response, script.fault)
    return response


def _events(rendered: Rendered, *, include_usage: bool) -> list[bytes]:
    usage = [rendered.usage_event] if include_usage and rendered.usage_event else []
    return [*rendered.events, *usage, rendered.end_event]


async def _send(response: web.StreamResponse, events: Sequence[bytes], number: bytes, delay_s: float) -> None:
    for event in events:
        await response.write(event.replace(ID, number))
        if delay_s:
            await asyncio.sleep(delay_s)


async def _fail_first(request: web.BaseRequest, fault: Fault) -> web.StreamResponse:
    if fault is Fault.REDIRECT:
        return web.Response(status=307, headers={"Location": f"{request.url.origin()}/elsewhere"})
    if fault is Fault.NOT_HTTP and request.transport is not None:
        request.transport.write(b"220 mail.example.test ESMTP\r\n\r\n")
        request.transport.close()
    await asyncio.Event().wait()  # until the caller gives up
    raise AssertionError


async def _fail_midway(request: web.BaseRequest, response: web.StreamResponse, fault: Fault) -> web.StreamResponse:
    if fault is Fault.CUT and request.transport is not None:
        request.transport.close()
        return response
    await asyncio.Event().wait()  # until the caller gives up
    raise AssertionError
