"""The load: a fixed number of clients, each on a connection of its own, each asking again when it was answered.

Runs as a process, prints one JSON line. It speaks just enough HTTP to know where an answer ends, so that it can keep a
fast server busy from half a core.
"""

import argparse
import asyncio
import time
from typing import cast

import msgspec
import uvloop

GIVE_UP_AFTER_S = 10.0
_QUESTION = {
    "model": "bench",
    "messages": [
        {"role": "system", "content": "You answer briefly, from the text that you are given and from nothing else."},
        {"role": "user", "content": "Omni meters every call and closes invoices each month. " * 4 + "When?"},
    ],
}


class Outcome(msgspec.Struct, frozen=True):
    """`completed` counts every whole answer; latencies (seconds, sorted) and `seconds` are those of the window."""

    completed: int
    failed: int
    seconds: float
    latencies: list[float]
    first_error: str = ""

    @property
    def rate(self) -> float:
        """Answers in a second."""
        return len(self.latencies) / self.seconds

    def quantile(self, share: float) -> float:
        """Return the latency, in seconds, that `share` of the answers did not exceed."""
        return self.latencies[min(int(len(self.latencies) * share), len(self.latencies) - 1)]


class Window:
    """The time in which answers count, and what they came to."""

    def __init__(self, seconds: float, clients: int) -> None:
        self.until = time.perf_counter() + seconds
        self.latencies: list[float] = []
        self.completed = 0
        self.errors: list[str] = []
        self.done = asyncio.Event()
        self._clients = clients

    def leave(self) -> None:
        """Take one client away; the last one ends the run."""
        self._clients -= 1
        if not self._clients:
            self.done.set()


class Client(asyncio.Protocol):
    """One connection."""

    def __init__(self, question: bytes, window: Window, *, streams: bool, pause_s: float) -> None:
        self._question = question
        self._window = window
        self._streams = streams
        self._pause_s = pause_s
        self._buffer = b""
        self._length: int | None = None
        self._asked_at = 0.0
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._ask()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._transport is not None:
            self._fail(f"the connection was closed: {exc!r}")

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if self._length is None:
            self._read_head()
        if self._length is None or self._transport is None:
            return
        if self._length >= 0:
            if len(self._buffer) >= self._length:
                self._answered()
        elif self._buffer.endswith(b"\r\n0\r\n\r\n"):
            if b"data: [DONE]" in self._buffer[-60:]:
                self._answered()
            else:
                self._fail(self._buffer[-300:].decode("latin-1"))

    def _read_head(self) -> None:
        """Note how long the whole answer is; -1 where it is chunked."""
        head, end, body = self._buffer.partition(b"\r\n\r\n")
        if not end:
            return
        if not head.startswith(b"HTTP/1.1 200 "):
            self._fail((head + body)[:500].decode("latin-1"))
            return
        _, found, rest = head.lower().partition(b"content-length: ")
        self._length = len(head) + 4 + int(rest.split(b"\r\n", 1)[0]) if found else -1
        if self._streams is bool(found):
            self._fail("a stream was answered whole, or the other way round")

    def _ask(self) -> None:
        self._buffer, self._length = b"", None
        self._asked_at = time.perf_counter()
        if self._transport is not None:
            self._transport.write(self._question)

    def _answered(self) -> None:
        now = time.perf_counter()
        self._window.completed += 1
        if now < self._window.until:
            self._window.latencies.append(now - self._asked_at)
            if self._pause_s:
                self._length = None
                asyncio.get_running_loop().call_later(self._pause_s, self._ask)
            else:
                self._ask()
        else:
            self._leave()

    def _fail(self, why: str) -> None:
        self._window.errors.append(why)
        self._leave()

    def _leave(self) -> None:
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.close()
            self._window.leave()


def question(port: int, key: str, *, streams: bool) -> bytes:
    """Return the bytes of a request, a chat of everyday size."""
    body = msgspec.json.encode({**_QUESTION, "stream": True} if streams else _QUESTION)
    return (
        f"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {key}\r\nUser-Agent: load\r\nAccept: */*\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body


async def run(port: int, key: str, clients: int, seconds: float, *, streams: bool, pause_s: float = 0.0) -> Outcome:
    """Keep `clients` asking for `seconds`, then let each finish its last question."""
    asked = question(port, key, streams=streams)
    began = time.perf_counter()
    window = Window(seconds, clients)
    loop = asyncio.get_running_loop()
    for _ in range(clients):
        await loop.create_connection(lambda: Client(asked, window, streams=streams, pause_s=pause_s), "127.0.0.1", port)
    async with asyncio.timeout(seconds + GIVE_UP_AFTER_S):
        await window.done.wait()
    errors = window.errors
    taken = window.until - began
    return Outcome(window.completed, len(errors), taken, sorted(window.latencies), errors[0] if errors else "")


def main() -> None:
    """Read the arguments, run, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--clients", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--pause", type=float, default=0.0)
    parser.add_argument("--key", default="none")
    parser.add_argument("--stream", action="store_true")
    given = parser.parse_args()
    outcome = uvloop.run(
        run(given.port, given.key, given.clients, given.seconds, streams=given.stream, pause_s=given.pause)
    )
    print(msgspec.json.encode(outcome).decode())


if __name__ == "__main__":
    main()
