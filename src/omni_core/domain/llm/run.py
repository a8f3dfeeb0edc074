"""A call under a key as this process knows it: made here, made elsewhere and waited for, or kept."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from datetime import datetime
from functools import partial
from uuid import UUID

from omni_core.domain.kernel.errors import OmniError
from omni_core.domain.llm.errors import CallUnderWay
from omni_core.domain.llm.keyed import BrokenOff, KeyedCall, Outcome
from omni_core.domain.llm.model import ChatDelta, ChatResponse
from omni_core.domain.metering.api import UsageNotRecorded

RETRY_S = 1


class Run:
    """Whoever asks under the key follows it. It goes on when they leave, for somebody will ask again.

    `is_replay` says that the call was made before. An answer, and the end of a stream from the finish reason on, are
    handed on once they are kept.
    """

    def __init__(self, fingerprint: bytes, created_at: datetime, call_id: UUID) -> None:
        self.fingerprint = fingerprint
        self.created_at = created_at
        self.call_id = call_id
        self.is_replay = False
        self.is_charged = False
        self._response: ChatResponse | None = None
        self._pieces: list[ChatDelta] = []
        self._end: list[ChatDelta] = []
        self._is_over = False
        self._error: Exception | None = None
        self._delay: OmniError | None = None
        self._delays = 0
        self._changed = asyncio.Event()

    # ------------------------------------------------------------------ for those who ask

    async def whole(self, within_s: float | None) -> ChatResponse:
        """Return the answer; raise what the call failed with, what delays it, or `CallUnderWay` after `within_s`."""
        await self._until(lambda: self._is_over, within_s)
        self._check()
        if self._response is None:
            raise CallUnderWay("another release makes this call", retry_after_s=RETRY_S)
        return self._response

    async def follow(self, within_s: float | None) -> AsyncGenerator[ChatDelta, None]:
        """Yield the pieces from the first on, which has to come `within_s` seconds; raise as `whole` does."""
        told = 0
        while True:
            await self._until(partial(self._has_more_than, told), within_s)
            within_s = None
            while told < len(self._pieces):
                yield self._pieces[told]
                told += 1
            if self._is_over:
                self._check()
                return

    # ------------------------------------------------------------------ for who makes the call

    def take(self, call: KeyedCall) -> None:
        """Make the call of this id."""
        self.call_id = call.call_id

    def replay(self, call: KeyedCall, outcome: Outcome) -> None:
        """Be a call that was made before."""
        self.call_id, self.created_at, self.is_replay = call.call_id, outcome.created_at, True
        self._response, self._end = outcome.response, list(outcome.pieces)
        self.finish(outcome.broken_off.error() if outcome.broken_off else None)

    def answer(self, response: ChatResponse) -> None:
        """Take the whole answer."""
        self._response = response

    def add(self, piece: ChatDelta) -> None:
        """Take a piece of a stream."""
        if self._end or piece.finish_reason is not None:
            self._end.append(piece)
        else:
            self._pieces.append(piece)
            self._tell()

    def charged(self) -> None:
        """Note that usage is on record."""
        self.is_charged = True

    def delayed(self, error: UsageNotRecorded) -> None:
        """Tell those who wait what keeps the call, which is tried on, from its end."""
        self.hold_up(error)

    def hold_up(self, error: OmniError) -> None:
        """Tell those who wait, and whoever waits too long from now on."""
        self._delay = error
        self._delays += 1
        self._tell()

    def outcome(self, error: OmniError | None) -> Outcome:
        """Return what is to be kept of the call, which may have broken off with `error`."""
        broken_off = BrokenOff(error.code, error.detail, error.fields) if error is not None else None
        return Outcome(self.created_at, self._response, (*self._pieces, *self._end), broken_off)

    def finish(self, error: Exception | None = None) -> None:
        """Hand on what was held back, or the error."""
        self._pieces += self._end
        self._end = []
        self.fail(error)

    def fail(self, error: Exception | None) -> None:
        """End without more."""
        self._error = error
        self._is_over = True
        self._tell()

    # ------------------------------------------------------------------ waiting

    def _has_more_than(self, pieces: int) -> bool:
        return self._is_over or len(self._pieces) > pieces

    def _tell(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    def _check(self) -> None:
        if self._error is not None:
            raise _once_more(self._error) from self._error

    async def _until(self, holds: Callable[[], bool], within_s: float | None) -> None:
        heard = self._delays
        try:
            async with asyncio.timeout(within_s):
                while not holds():
                    if self._delay is not None and self._delays > heard:
                        raise _once_more(self._delay) from self._delay
                    await self._changed.wait()
        except TimeoutError as error:
            if self._delay is not None:
                raise _once_more(self._delay) from error
            raise CallUnderWay(call_id=str(self.call_id), retry_after_s=RETRY_S) from error


def _once_more(error: Exception) -> Exception:
    """Return an error of its own for each who hears of it."""
    return type(error)(error.detail, **error.fields) if isinstance(error, OmniError) else error
