"""The two responses of the hot path. They do what Litestar's own would, for a third of the work."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from types import TracebackType
from typing import Any, Protocol

from litestar import Response
from litestar.types import ASGIApp, Receive, Scope, Send

from omni_http.ending import cut_off, is_cut_off
from omni_http.problems import event_body
from omni_http.services import request_id_of

_JSON = (b"content-type", b"application/json")
_REPLAYED = (b"idempotent-replayed", b"true")
_EVENTS = [(b"content-type", b"text/event-stream; charset=utf-8"), (b"cache-control", b"no-cache")]


class EncodedJson(Response[bytes]):
    """An answer that is JSON already. `is_replay` says that it was given before."""

    def __init__(self, content: bytes, *, is_replay: bool = False) -> None:
        super().__init__(content)
        self._marks = [_REPLAYED] if is_replay else []

    def to_asgi_response(self, *_: Any, **__: Any) -> ASGIApp:  # type: ignore[override]
        """Return what sends it. Nothing is merged: no layer of the application adds headers or cookies."""
        return self._send

    async def _send(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [_JSON, (b"content-length", b"%d" % len(self.content)), *self._marks]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": self.content, "more_body": False})


class Closable(Protocol):
    """What holds something until it is closed. To close it again changes nothing."""

    async def aclose(self) -> None:
        """Let go of it."""
        ...


class EventStream(Response[AsyncGenerator[bytes, None]]):
    """Server-sent events, as a generator yields them that reads `source`.

    Both are closed at once when the client hangs up, also while the next piece is waited for. `source` is closed here
    because a generator that was never begun closes nothing. `is_replay` says that the events were sent before.
    """

    def __init__(self, chunks: AsyncGenerator[bytes, None], source: Closable, *, is_replay: bool = False) -> None:
        super().__init__(chunks)
        self._source = source
        self._marks = [_REPLAYED] if is_replay else []

    def to_asgi_response(self, *_: Any, **__: Any) -> ASGIApp:  # type: ignore[override]
        """Return what sends them."""
        return self._send

    async def _send(self, scope: Scope, receive: Receive, send: Send) -> None:
        has_begun = False
        try:
            async with aclosing(self._source), _UntilHangUp(receive), aclosing(self.content) as chunks:
                await send({"type": "http.response.start", "status": 200, "headers": [*_EVENTS, *self._marks]})
                has_begun = True
                async for chunk in chunks:
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        except asyncio.CancelledError:
            if not (has_begun and is_cut_off(scope)):
                raise
            last = b'data: {"error":' + event_body(cut_off(), request_id_of(scope)) + b"}\n\n"
            await send({"type": "http.response.body", "body": last, "more_body": False})


class _UntilHangUp:
    """Cancels its block when the client hangs up, and ends the cancellation at the block's end.

    What `asyncio.timeout` is for time; a task group would start two tasks for each request instead of one.
    """

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._hung_up = False

    async def __aenter__(self) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - there is one wherever something is awaited
        self._task = task
        self._cancelling = task.cancelling()
        self._watch = asyncio.create_task(self._wait())

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        self._watch.cancel()
        if not self._hung_up:
            return False
        # Somebody else's cancellation on top of this one goes on.
        is_ours_alone = self._task.uncancel() <= self._cancelling
        return is_ours_alone and kind is asyncio.CancelledError

    async def _wait(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._hung_up = True
        self._task.cancel()
