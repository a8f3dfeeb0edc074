"""A connection: let in or not, and timed in all that it waits for."""

import asyncio
from typing import Any

import httptools
from uvicorn import Config
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle
from uvicorn.server import ServerState

from omni_core.domain.kernel.errors import OmniError
from omni_http.door import heads
from omni_http.door.answers import answer_of
from omni_http.door.keeper import Doorkeeper
from omni_http.door.reading import ANSWER, BODY, HEAD, IDLE, LEAVING, NEVER, MeasuredReading
from omni_http.refusals import REFUSAL, MalformedRequest, RequestTimedOut, TooManyConnections

LINGER_S = 2.0
"""How long a client that was turned away may go on sending: closed at once, it could not read why."""
MOST_LINGERING = 256
"""How many may, at the same time."""
_LINGER_BYTES = 1 << 20
_EARLY_ANSWER_S = 5.0
# Bytes of framing that a body in chunks may have for each of its own: one chunk for each byte is no more than silly.
_FRAMING_FOR_A_BYTE = 16


class DoorConfig(Config):
    """What the server is to do, and who keeps its door."""

    def __init__(self, app: Any, keeper: Doorkeeper, **options: Any) -> None:  # noqa: ANN401 - as uvicorn has it
        super().__init__(app, http=Connection, ws="none", **options)
        self.keeper = keeper


class Connection(MeasuredReading):
    """Knows by when what has to happen next. The keeper looks whether it has; a timer for each would cost more."""

    def __init__(
        self,
        config: DoorConfig,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop, config.keeper.limits)
        self._keeper = config.keeper
        self.unread_until = NEVER
        self._address = ""
        self._is_counted = self._lingers = False
        self._answering: RequestResponseCycle | None = None
        self._head_at_least = 0
        self._ignored_bytes = 0

    # The transport's side

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if self.client is not None:
            self._address = self.client[0]
            self._is_counted = self._keeper.enter(self._address)
            if not self._is_counted:
                limit = self._limits.connections
                told = f"there are {limit:,} connections of this address already"
                self._turn_away(TooManyConnections(told, limit=limit, retry_after_s=1))
                return
        self.deadline = self.loop.time() + self._limits.head_s

    def connection_lost(self, exc: Exception | None) -> None:
        if self._is_counted:
            self._keeper.leave(self._address)
        if self._lingers:
            self._keeper.lingering -= 1
        answering = self._answering
        if answering is not None and not answering.response_complete:
            # Not always the last request, which is all that uvicorn tells.
            answering.disconnected = True
            answering.message_event.set()
        self.pipeline.clear()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        came_in, size = self._place, len(data)
        if came_in is LEAVING:
            self._ignore(size)
            return
        if came_in is IDLE:
            self._place = HEAD
        if came_in is not HEAD:
            self._head_at_least = self._head_at_most = 0
        self._head_at_most += size
        self._has_ended = False
        body_bytes = self._body_bytes
        try:
            self._parse(data)
        except httptools.HttpParserError as error:
            self._turn_away(self._refusal or MalformedRequest(f"this is not HTTP/1.1: {error}"))
            return
        place = self._place
        is_new = self._has_ended or came_in is not place
        if place is HEAD:
            self._await_head(size, is_new=is_new)
        elif place is BODY:
            self._await_body(size, self._body_bytes - body_bytes, is_new=is_new)
        elif came_in is ANSWER and not self._has_ended:
            self._ignore(size)  # empty lines, which the parser passes over

    def pause_writing(self) -> None:
        super().pause_writing()
        # Looked at now and then, so early enough that it is not later than said.
        self.unread_until = self.loop.time() + self._limits.send_s - self._keeper.round_s

    def resume_writing(self) -> None:
        super().resume_writing()
        self.unread_until = NEVER

    def overdue(self, now: float) -> None:
        """Act on a deadline that has passed."""
        if now >= self.unread_until:
            self._keeper.given_up(self._address)
            self.transport.abort()
        elif self.transport.is_closing() or self._place is LEAVING:
            self.transport.abort()
        elif self._place is BODY:
            self._body_overdue(now)
        elif self._place is HEAD and self._is_answering:
            # Part of the next request; whoever waits for an answer may take time over it.
            self.deadline = now + self._limits.head_s
        elif self._place is HEAD and self._head_at_least:
            self._turn_away(_late("the headers did not come", self._limits.head_s))
        else:
            self._close()

    # The application's side

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._answering = cycle
        super()._start_asgi_task(cycle, app)

    def on_response_complete(self) -> None:
        """Go on with the next request. Uvicorn's would set a timer."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            self.deadline = self.loop.time() + self._limits.send_s
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        elif self._place is ANSWER:
            self._rest()
        elif self._place is BODY:
            self._answered_early()
        else:
            self.deadline = self.loop.time() + self._limits.head_s

    # What the door itself does

    @property
    def _is_answering(self) -> bool:
        return self._answering is not None and not self._answering.response_complete

    def _close(self) -> None:
        self.transport.close()
        # What is on the way to the client need not be read by it.
        self.deadline = self.loop.time() + self._limits.send_s

    def _await_head(self, size: int, *, is_new: bool) -> None:
        if is_new:
            self.deadline = self.loop.time() + self._limits.head_s
        # Of what was read some may have been of the request before.
        self._head_at_least = 1 if self._has_ended else self._head_at_least + size
        if self._head_at_least > self._limits.header_bytes:
            self._turn_away(heads.too_large(self._limits))

    def _await_body(self, size: int, payload: int, *, is_new: bool) -> None:
        now, limits = self.loop.time(), self._limits
        if is_new:
            self.deadline = now + limits.body_s
            return
        if self.cycle.response_complete:
            return  # nobody waits for it any more
        self.deadline = min(self.deadline + payload / limits.body_rate, now + limits.body_s)
        self._framed_bytes += size
        if self._framed_bytes > limits.header_bytes + (1 + _FRAMING_FOR_A_BYTE) * self._body_bytes:
            self._turn_away(heads.too_much_around(limits))

    def _body_overdue(self, now: float) -> None:
        if self.cycle.response_complete:
            self._close()
        elif self.flow.read_paused:
            self.deadline = now + self._limits.body_s  # it is Omni that does not read
        else:
            self._turn_away(_late("the body did not come", self._limits.body_s))

    def _answered_early(self) -> None:
        """Let the rest of a body come that nobody reads, but not for long."""
        if self.expect_100_continue and not self._body_bytes:
            self._close()  # whether it will come is the client's to say, and it does not
        else:
            self.deadline = self.loop.time() + _EARLY_ANSWER_S

    def _turn_away(self, error: OmniError) -> None:
        """Tell why, if that can be told, and close as soon as the client may have read it."""
        self._keeper.turned_away(error, self._address)
        was_in_body, self._place = self._place is BODY, LEAVING
        answering = self._answering if self._is_answering else None
        if answering is None and was_in_body:
            self._close()  # its request has been answered
        elif answering is None:
            self._tell(error)
        elif was_in_body and answering is self.cycle:
            answering.scope["state"][REFUSAL] = error
            answering.disconnected = True
            answering.message_event.set()
            if answering.response_started:
                self.transport.abort()
            else:
                self._tell(error)
        else:
            # What is wrong came behind a good request, whose answer is the last.
            answering.keep_alive = False
            self.pipeline.clear()
            self.deadline = NEVER

    def _tell(self, error: OmniError) -> None:
        self.transport.write(answer_of(error))
        if self._keeper.lingering >= MOST_LINGERING or not self.transport.can_write_eof():
            self._close()
            return
        self.deadline = self.loop.time() + LINGER_S
        self._lingers = True
        self._keeper.lingering += 1
        self.flow.resume_reading()
        self.transport.write_eof()

    def _ignore(self, size: int) -> None:
        self._ignored_bytes += size
        if self._ignored_bytes > _LINGER_BYTES:
            self.transport.abort()


def _late(what: str, limit_s: float) -> RequestTimedOut:
    return RequestTimedOut(f"{what} in time", limit_s=limit_s)
