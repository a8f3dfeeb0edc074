"""A connection of which a test says every byte."""

import asyncio
import json
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

PATIENCE_S = 20.0
"""How long a test waits for what has to come; the machine may be busy."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: a body as it is, and whether it is a problem."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def problem(self) -> dict[str, Any]:
        assert self.headers["content-type"] == "application/problem+json"
        decoded: dict[str, Any] = json.loads(self.body)
        assert decoded["status"] == self.status
        return decoded


class Wire:
    """A socket to the server, with what is read off it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def send(self, data: bytes) -> None:
        """Send; raise `ConnectionError` where the server has closed."""
        self._writer.write(data)
        async with asyncio.timeout(PATIENCE_S):
            await self._writer.drain()

    async def answer(self) -> Answer:
        """Read one answer that says how long it is."""
        async with asyncio.timeout(PATIENCE_S):
            head = await self._reader.readuntil(b"\r\n\r\n")
            line, *fields = head.decode().split("\r\n")[:-2]
            headers = {name.lower(): value for name, _, value in (field.partition(": ") for field in fields)}
            body = await self._reader.readexactly(int(headers.get("content-length", "0")))
        return Answer(int(line.split()[1]), headers, body)

    async def some(self) -> bytes:
        """Read what there is, or comes next."""
        async with asyncio.timeout(PATIENCE_S):
            return await self._reader.read(65536)

    async def rest(self) -> bytes:
        """Read until the server has closed, in whatever way."""
        read = b""
        async with asyncio.timeout(PATIENCE_S):
            try:
                while piece := await self._reader.read(65536):
                    read += piece
            except ConnectionError:
                pass  # closed with something unread: an end as well
        return read

    def reset(self) -> None:
        """Leave without a word, as a process that is killed does."""
        raw: socket.socket = self._writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()

    def leave(self) -> None:
        """Close."""
        self._writer.close()


@asynccontextmanager
async def wired(port: int, *, receive_bytes: int | None = None) -> AsyncIterator[Wire]:
    """Connect; with `receive_bytes`, by a socket that takes in no more than some such number unread."""
    raw = socket.socket()
    if receive_bytes is not None:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    raw.setblocking(False)
    await asyncio.get_running_loop().sock_connect(raw, ("127.0.0.1", port))
    reader, writer = await asyncio.open_connection(sock=raw, limit=4096 if receive_bytes is not None else 2**16)
    try:
        yield Wire(reader, writer)
    finally:
        writer.transport.abort()


def request(target: str = "/health/live", *fields: str, method: str = "GET", body: bytes = b"") -> bytes:
    """Return a request with these header fields."""
    length = (f"Content-Length: {len(body)}",) if body else ()
    return "\r\n".join([f"{method} {target} HTTP/1.1", "Host: omni", *length, *fields, "", ""]).encode() + body


def turned_away(exposition: bytes) -> dict[str, int]:
    """Return how many were turned away, by reason, of what `/metrics` tells."""
    prefix = 'omni_http_turned_away_total{reason="'
    lines = [line for line in exposition.decode().splitlines() if line.startswith(prefix)]
    return {line.removeprefix(prefix).partition('"')[0]: int(float(line.rsplit(" ", 1)[1])) for line in lines}
