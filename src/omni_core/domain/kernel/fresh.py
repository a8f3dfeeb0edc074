"""A value that is read again when it has grown old, by one reader for all who wait."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from omni_core.domain.kernel.clock import Clock

T = TypeVar("T")


class Fresh(Generic[T]):
    """Holds what `load` returned for at most `fresh_s` seconds, counted from before the reading."""

    def __init__(self, load: Callable[[], Awaitable[T]], clock: Clock, fresh_s: float) -> None:
        self._load = load
        self._clock = clock
        self._fresh_s = fresh_s
        self._loaded: tuple[float, T] | None = None
        self._loading = asyncio.Lock()

    async def get(self) -> T:
        """Return the value; whatever `load` raises reaches the caller, and the next caller tries again."""
        loaded = self._loaded
        if loaded is not None and self._clock.monotonic() - loaded[0] < self._fresh_s:
            return loaded[1]
        async with self._loading:
            if self._loaded is not loaded and self._loaded is not None:
                return self._loaded[1]
            asked_at = self._clock.monotonic()
            value = await self._load()
            self._loaded = (asked_at, value)
            return value

    def forget(self) -> None:
        """Make the next caller read again."""
        self._loaded = None
