"""What the parser finds on a connection, measured as it finds it."""

import asyncio
import math
from enum import Enum, auto
from typing import Any, NoReturn

import httptools
from uvicorn import Config
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from omni_core.bootstrap.settings.http import HttpSettings
from omni_core.domain.kernel.errors import OmniError
from omni_http.door import heads
from omni_http.refusals import MalformedRequest, UpgradeNotOffered

MOST_WAITING = 100
"""Requests that may wait on one connection for the answer before them."""
NEVER = math.inf


class Place(Enum):
    """What comes next on a connection."""

    HEAD = auto()
    BODY = auto()
    ANSWER = auto()
    IDLE = auto()
    LEAVING = auto()


# Looked up many times for each request, and an enumeration's members take their time.
HEAD, BODY, ANSWER, IDLE, LEAVING = Place


class MeasuredReading(HttpToolsProtocol):
    """The parser's side of a connection. No more than what one read brings is parsed beyond any limit.

    Calls of uvicorn's own are left out where they would do what is done here, or what no limit lets happen.
    """

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None,
        limits: HttpSettings,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._limits = limits
        self._most_fields, self._longest_target = limits.header_fields, limits.target_bytes
        self._place = HEAD
        self.deadline = NEVER
        self._refusal: OmniError | None = None
        self._has_ended = False  # a request, within what is being read
        self._head_at_most = 0  # bytes that the request line and headers have which are coming
        self._body_bytes = 0
        self._framed_bytes = 0

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._place = HEAD

    def on_url(self, url: bytes) -> None:
        self.url += url
        if len(self.url) > self._longest_target:
            self._refuse(heads.too_long(self._limits))

    def on_header(self, name: bytes, value: bytes) -> None:
        headers = self.headers
        if len(headers) >= self._most_fields:
            self._refuse(heads.too_many(self._limits))
        name = name.lower()
        if name == b"expect" and value.lower() == b"100-continue":
            self.expect_100_continue = True
        headers.append((name, value))

    def on_headers_complete(self) -> None:
        if self.parser.should_upgrade() and not heads.is_passed_over(self.parser.get_method(), self.headers):
            self._refuse(UpgradeNotOffered("this server speaks HTTP/1.1 and nothing else: send no Upgrade header"))
        if self._head_at_most > self._limits.header_bytes < heads.size_of(self.headers):
            self._refuse(heads.too_large(self._limits))
        if len(self.pipeline) >= MOST_WAITING:
            self._refuse(MalformedRequest(f"more than {MOST_WAITING} requests wait", limit=MOST_WAITING))
        super().on_headers_complete()
        self.headers = []  # those behind a body say nothing that Omni would listen to
        self._place = BODY
        self._body_bytes = self._framed_bytes = 0

    def on_body(self, body: bytes) -> None:
        self._body_bytes += len(body)
        cycle = self.cycle
        if not cycle.response_complete:
            cycle.body += body
            if len(cycle.body) > HIGH_WATER_LIMIT:
                self.flow.pause_reading()
            cycle.message_event.set()

    def on_message_complete(self) -> None:
        self._has_ended = True
        cycle = self.cycle
        if cycle.response_complete:
            self._rest()
        else:
            cycle.more_body = False
            cycle.message_event.set()
            self._place, self.deadline = ANSWER, NEVER

    def _parse(self, data: bytes) -> None:
        """Parse what was read; raise `httptools.HttpParserError` where it is refused."""
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            # One that is passed over, as a server may. What follows is HTTP/1.1 as well.
            rest = data[upgrade.args[0] :]
            if rest:
                self._parse(rest)

    def _refuse(self, refusal: OmniError) -> NoReturn:
        """Stop the parser, from within one of its callbacks."""
        self._refusal = refusal
        raise refusal

    def _rest(self) -> None:
        self._place = IDLE
        self.deadline = self.loop.time() + self._limits.idle_s
