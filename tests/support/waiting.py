"""Waiting for what another process does in its own time."""

import asyncio
import time
from collections.abc import Awaitable, Callable


async def eventually(look: Callable[[], Awaitable[bool]], within_s: float = 20.0, every_s: float = 0.05) -> None:
    """Look again and again until it is so; raise `TimeoutError` where it never is."""
    until = time.monotonic() + within_s
    while not await look():
        if time.monotonic() > until:
            raise TimeoutError(f"it did not happen within {within_s:g} s")
        await asyncio.sleep(every_s)
