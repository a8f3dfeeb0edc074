"""The deadlines of calls to one provider, but for connecting, which is the HTTP client's own.

aiohttp's read timeout does not serve: an interim response (1xx) switches it off, and each byte starts it anew. So the
answer's head is awaited under a cancellation, and its body is ended with an error. Hardly a call ever comes to a
deadline, so there is one timer for all of them: it wakes up when the first could, and looks.
"""

import asyncio
import io
import math
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Protocol, Self

import aiohttp
from aiohttp.abc import AbstractStreamWriter

from omni_core.adapters.llm.failures import Failures
from omni_core.domain.kernel.errors import OmniError
from omni_core.domain.llm.ports import ProviderConfig

LARGE_REQUEST_BYTES = 64 * 1024
"""Up to this size a request is handed to the socket at once; of a larger one each part has to be read in time."""


class Watched(Protocol):
    """Something that may come to a deadline."""

    def due(self, now: float) -> float:
        """Return when that is, by the loop's clock, if nothing happens before."""
        ...

    def expire(self) -> None:
        """End it: the deadline has passed."""
        ...


class Watch:
    """Ends whatever comes to its deadline, in the loop in which the watch was made."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.now = self._loop.time
        self._watched: set[Watched] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._looks_at = math.inf

    def add(self, watched: Watched, due: float) -> None:
        """Watch something, which is due at `due` at the earliest."""
        self._watched.add(watched)
        if due < self._looks_at:
            self._look_at(due)

    def discard(self, watched: Watched) -> None:
        """Watch it no longer."""
        self._watched.discard(watched)

    def close(self) -> None:
        """Watch nothing any more."""
        self._watched.clear()
        if self._timer is not None:
            self._timer.cancel()

    def _look_at(self, due: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._looks_at = due
        self._timer = self._loop.call_at(due, self._look)

    def _look(self) -> None:
        self._timer, self._looks_at = None, math.inf
        now, soonest = self.now(), math.inf
        for one in tuple(self._watched):
            due = one.due(now)
            if due <= now:
                self._watched.discard(one)
                one.expire()
            else:
                soonest = min(soonest, due)
        if soonest < math.inf:
            self._look_at(soonest)


class CallDeadlines:
    """Cancels its block where a deadline passes before the head of an answer has come, and raises what it was.

    `ends` is when the whole call has to be over.
    """

    __slots__ = ("_cancelling", "_config", "_due", "_failure", "_failures", "_is_late", "_task", "_watch", "ends")

    def __init__(self, config: ProviderConfig, failures: Failures, watch: Watch) -> None:
        self._config = config
        self._failures = failures
        self._watch = watch
        self._due = self.ends = watch.now() + config.total_timeout_s
        self._failure = self._of_call
        self._task: asyncio.Task[object] | None = None
        self._is_late = False

    def __enter__(self) -> Self:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - there is one wherever something is awaited
        self._task, self._cancelling = task, task.cancelling()
        self._watch.add(self, self._due)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # What is still sent of a request that was answered early changes no deadline.
        task, self._task = self._task, None
        self._watch.discard(self)
        # Somebody else's cancellation on top of this one goes on.
        if self._is_late and task is not None:
            is_ours_alone = task.uncancel() <= self._cancelling
            if is_ours_alone and kind is asyncio.CancelledError:
                raise self._failure() from error

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

    def due(self, now: float) -> float:
        return self._due

    def expire(self) -> None:
        if self._task is not None:
            self._is_late = True
            self._task.cancel()

    def _wait(self, limit_s: float, failure: Callable[[], OmniError]) -> None:
        if self._task is None or self._is_late:
            return
        due = self._watch.now() + limit_s
        is_last = due >= self.ends
        self._failure = self._of_call if is_last else failure
        self._due = self.ends if is_last else due
        self._watch.add(self, self._due)

    def _of_reading(self) -> OmniError:
        return self._failures.late("read_timeout_s", self._config.read_timeout_s, "go on reading the request")

    def _of_beginning(self) -> OmniError:
        return self._failures.late("first_byte_timeout_s", self._config.first_byte_timeout_s, "begin its answer")

    def _of_call(self) -> OmniError:
        return self._failures.late("total_timeout_s", self._config.total_timeout_s, "finish its answer")


class AnswerBody:
    """The bytes of an answer as they come. Silence and the end of the call end them, with an error that says which.

    Whoever does not read lets nobody be silent.
    """

    __slots__ = ("_config", "_content", "_ends", "_failures", "_response", "_waits_since", "_watch")

    def __init__(
        self, response: aiohttp.ClientResponse, config: ProviderConfig, failures: Failures, watch: Watch, ends: float
    ) -> None:
        self._response = response
        self._content = response.content
        self._config = config
        self._failures = failures
        self._watch = watch
        self._ends = ends
        self._waits_since: float | None = None
        if not self._content.is_eof():
            watch.add(self, self.due(watch.now()))

    @property
    def is_whole(self) -> bool:
        """Whether all of it has come."""
        return self._content.is_eof()

    def read(self) -> Awaitable[bytes]:
        """Return the next bytes, none at the end, after which `heard` is to be called.

        What is returned raises `ProviderTimeout` or aiohttp's errors.
        """
        self._waits_since = self._watch.now()
        return self._content.readany()

    def heard(self) -> None:
        """Nobody waits any more, until the next read."""
        self._waits_since = None

    def close(self) -> None:
        """Let go of the connection: for another call if all has come, else for good, which makes the provider stop."""
        self._watch.discard(self)
        if self._content.is_eof():
            self._response.release()
        else:
            self._response.close()

    def due(self, now: float) -> float:
        if self._content.is_eof():
            return math.inf  # nothing is awaited any more
        since = now if self._waits_since is None else self._waits_since
        return min(since + self._config.read_timeout_s, self._ends)

    def expire(self) -> None:
        limit, limit_s, what = "read_timeout_s", self._config.read_timeout_s, "continue its answer"
        if self._ends <= self._watch.now():
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
        await writer.write(self._value if content_length is None else self._value[:content_length])


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
