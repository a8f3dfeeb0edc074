"""The deadlines of one call to a provider, but for connecting, which is the HTTP client's own.

aiohttp's read timeout does not serve: an interim response (1xx) switches it off, and each byte starts it anew. So the
answer's head is awaited under a cancellation, and its body under a timer of the call's own.
"""

import asyncio
import io
from collections.abc import Callable
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp.abc import AbstractStreamWriter

from omni_core.adapters.llm.failures import Failures
from omni_core.domain.kernel.errors import OmniError
from omni_core.domain.llm.ports import ProviderConfig

LARGE_REQUEST_BYTES = 64 * 1024
"""Up to this size a request is handed to the socket at once; of a larger one each part has to be read in time."""


class CallDeadlines:
    """Cancels its block where a deadline passes before the head of the answer has come, and raises `TimeoutError`.

    `failure` then says which one. `ends` is when the whole call has to be over.
    """

    def __init__(self, config: ProviderConfig, failures: Failures) -> None:
        self._config = config
        self._failures = failures
        self._now = asyncio.get_running_loop().time
        self.ends = self._now() + config.total_timeout_s
        self._timeout = asyncio.timeout_at(self.ends)
        self._failure = self._of_call
        self._is_over = False

    async def __aenter__(self) -> Self:
        await self._timeout.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # What is still sent of a request that was answered early changes no deadline.
        self._is_over = True
        await self._timeout.__aexit__(kind, error, trace)

    def body(self, body: bytes) -> aiohttp.Payload:
        """Return a request's body that tells these deadlines how far it has been sent."""
        if len(body) <= LARGE_REQUEST_BYTES:
            return _SmallBody(body, self.sent)
        return aiohttp.BytesIOPayload(_LargeBody(body, self.moved, self.sent))

    def moved(self) -> None:
        """The provider has taken a part of the request: it may be silent for so long from now."""
        self._wait(self._config.read_timeout_s, self._of_reading)

    def sent(self) -> None:
        """The last of the request is on its way: from now the answer is awaited."""
        self._wait(self._config.first_byte_timeout_s, self._of_beginning)

    def failure(self) -> OmniError:
        """Return the error of the deadline that has passed."""
        return self._failure()

    def _wait(self, limit_s: float, failure: Callable[[], OmniError]) -> None:
        if self._is_over or self._timeout.expired():
            return
        due = self._now() + limit_s
        is_last = due >= self.ends
        self._failure = self._of_call if is_last else failure
        self._timeout.reschedule(self.ends if is_last else due)

    def _of_reading(self) -> OmniError:
        return self._failures.late("read_timeout_s", self._config.read_timeout_s, "go on reading the request")

    def _of_beginning(self) -> OmniError:
        return self._failures.late("first_byte_timeout_s", self._config.first_byte_timeout_s, "begin its answer")

    def _of_call(self) -> OmniError:
        return self._failures.late("total_timeout_s", self._config.total_timeout_s, "finish its answer")


class AnswerBody:
    """The bytes of an answer as they come. Silence and the end of the call end them, with an error that says which.

    One timer for the whole answer, instead of one for each read: it looks whether somebody has waited for too long,
    and when to look next. Whoever does not read lets nobody be silent.
    """

    __slots__ = ("_config", "_content", "_ends", "_failures", "_loop", "_response", "_timer", "_waits_since")

    def __init__(
        self, response: aiohttp.ClientResponse, config: ProviderConfig, ends: float, failures: Failures
    ) -> None:
        self._response = response
        self._content = response.content
        self._config = config
        self._ends = ends
        self._failures = failures
        self._loop = asyncio.get_running_loop()
        self._waits_since: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        if not self._content.is_eof():
            self._timer = self._loop.call_at(min(self._loop.time() + config.read_timeout_s, ends), self._look)

    @property
    def is_whole(self) -> bool:
        """Whether all of it has come."""
        return self._content.is_eof()

    async def read(self) -> bytes:
        """Return the next bytes, none at the end; raise `ProviderTimeout` or `ProviderGarbage`."""
        self._waits_since = self._loop.time()
        try:
            return await self._content.readany()
        except aiohttp.ClientError as error:
            raise self._failures.garbage("broke off its answer") from error
        finally:
            self._waits_since = None

    def close(self) -> None:
        """Let go of the connection: for another call if all has come, else for good, which makes the provider stop."""
        if self._timer is not None:
            self._timer.cancel()
        if self.is_whole:
            self._response.release()
        else:
            self._response.close()

    def _look(self) -> None:
        if self._content.is_eof():
            return  # nothing is awaited any more
        now = self._loop.time()
        silent = self._config.read_timeout_s
        due = min((now if self._waits_since is None else self._waits_since) + silent, self._ends)
        if due > now:
            self._timer = self._loop.call_at(due, self._look)
            return
        limit, limit_s, what = "read_timeout_s", silent, "continue its answer"
        if self._ends <= now:
            limit, limit_s, what = "total_timeout_s", self._config.total_timeout_s, "finish its answer"
        # Whoever reads, now or later, is told so; nobody else is interrupted.
        self._content.set_exception(self._failures.late(limit, limit_s, what))
        self._response.close()


class _SmallBody(aiohttp.BytesPayload):
    """A request's body that is written at once."""

    def __init__(self, body: bytes, sent: Callable[[], None]) -> None:
        super().__init__(body)
        self._sent = sent

    async def write_with_length(self, writer: AbstractStreamWriter, content_length: int | None) -> None:
        self._sent()
        await super().write_with_length(writer, content_length)


class _LargeBody(io.BytesIO):
    """A request's body that is read part by part, each when the one before has been written."""

    def __init__(self, body: bytes, moved: Callable[[], None], sent: Callable[[], None]) -> None:
        super().__init__(body)
        self._left = len(body)
        self._moved = moved
        self._sent = sent

    def read(self, size: int | None = -1, /) -> bytes:
        part = super().read(size)
        self._left -= len(part)
        (self._moved if self._left else self._sent)()
        return part
