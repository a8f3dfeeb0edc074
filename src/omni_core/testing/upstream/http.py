"""Just enough of an HTTP/1.1 server: fast, so that a benchmark measures the caller, and able to break on purpose."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from http import HTTPStatus
from typing import NamedTuple, cast

MAX_HEAD_BYTES = 64 * 1024
MAX_BODY_BYTES = 64 * 1024 * 1024

STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n"
    b"Cache-Control: no-cache\r\nTransfer-Encoding: chunked\r\n\r\n"
)
STREAM_END = b"0\r\n\r\n"


class Request(NamedTuple):
    """A request, read to its end. Header names are lower-case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


Answer = bytes | Coroutine[object, object, None]
"""All bytes of a response, or what sends them."""


class Connection(asyncio.Protocol):
    """One client's connection: answers its requests one after the other, and stops when it hangs up."""

    def __init__(self, respond: Callable[[Request, "Connection"], Answer], open_connections: set["Connection"]) -> None:
        self._respond = respond
        self._open = open_connections
        self._buffer = b""
        self._head: tuple[str, str, dict[str, str]] | None = None
        self._task: asyncio.Task[None] | None = None
        self._room = asyncio.Event()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # what a TCP server makes, under uvloop by another name
        self._room.set()
        self._open.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._open.discard(self)
        self._transport = None
        self._room.set()
        if self._task is not None:
            self._task.cancel()

    def pause_writing(self) -> None:
        self._room.clear()

    def resume_writing(self) -> None:
        self._room.set()

    def data_received(self, data: bytes) -> None:
        self._buffer = self._buffer + data if self._buffer else data
        self._serve()

    async def send(self, data: bytes) -> None:
        """Write `data` once the client has room for it; raise `ConnectionResetError` if it has hung up."""
        await self._room.wait()
        if self._transport is None:
            raise ConnectionResetError
        self._transport.write(data)

    async def send_chunk(self, data: bytes) -> None:
        """Write one chunk of a chunked body."""
        await self.send(b"%x\r\n%b\r\n" % (len(data), data))

    def close(self) -> None:
        """Close the connection, after what was written."""
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Drop the connection, and what was not sent yet."""
        if self._transport is not None:
            self._transport.abort()

    def _serve(self) -> None:
        while self._task is None and self._transport is not None and (request := self._next()) is not None:
            answer = self._respond(request, self)
            if isinstance(answer, bytes):
                self._transport.write(answer)
            else:
                self._task = asyncio.get_running_loop().create_task(answer)
                self._task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._task = None
        if task.cancelled() or isinstance(task.exception(), ConnectionError):
            self.close()
        elif (error := task.exception()) is not None:
            self.close()
            raise error  # a fault of the fake itself: the loop's handler reports it
        else:
            self._serve()

    def _next(self) -> Request | None:
        if self._head is None:
            self._head = self._read_head()
        if self._head is None:
            return None
        method, path, headers = self._head
        length = int(headers.get("content-length", "0"))
        if "transfer-encoding" in headers or length > MAX_BODY_BYTES:
            self._refuse(411 if length <= MAX_BODY_BYTES else 413)
            return None
        if len(self._buffer) < length:
            return None
        body, self._buffer = self._buffer[:length], self._buffer[length:]
        self._head = None
        return Request(method, path, headers, body)

    def _read_head(self) -> tuple[str, str, dict[str, str]] | None:
        head, end, rest = self._buffer.partition(b"\r\n\r\n")
        if not end:
            if len(head) > MAX_HEAD_BYTES:
                self._refuse(431)
            return None
        self._buffer = rest
        first, *lines = head.decode("latin-1").split("\r\n")
        try:
            method, path, _ = first.split(" ")
            fields = (line.split(":", 1) for line in lines)
            return method, path, {name.lower(): value.strip() for name, value in fields}
        except ValueError:
            self._refuse(400)
            return None

    def _refuse(self, status: int) -> None:
        if self._transport is not None:
            self._transport.write(response(b"", status, headers={"Connection": "close"}))
        self.close()


def response(body: bytes, status: int = 200, *, headers: Mapping[str, str] | None = None) -> bytes:
    """Return the bytes of a whole JSON response."""
    if status == 200 and headers is None:
        return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = "Overloaded"  # 529 is Anthropic's own
    lines = {"Content-Type": "application/json", "Content-Length": f"{len(body)}", **(headers or {})}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"HTTP/1.1 {status} {phrase}\r\n{head}\r\n".encode("latin-1") + body
