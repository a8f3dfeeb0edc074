"""Keeps a server up that this process is attached to: one that was killed is started again, by whoever sees it first.

A server that was stopped in order may be on its way back, by the hand that stopped it; it has a moment for that before
it is started as well. One that `stop` ended stays down until somebody attaches again.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

import structlog

from omni_core.adapters.embedded.errors import HomeUnusable, StartFailed

LOOK_EVERY_S = 1.0
# After this long, a server that was stopped is not being restarted by hand, which takes some tenths of a second.
BY_HAND_WITHIN_S = 3.0
_PAUSES_S = (1.0, 2.0, 5.0)
T = TypeVar("T")
_log = structlog.get_logger("omni.postgresql")


@asynccontextmanager
async def watched(down: Callable[[], str | None], bring_back: Callable[[], bool]) -> AsyncIterator[None]:
    """Look after the server for the block.

    `down` tells how it ended (`killed` or `stopped`), or None while it runs. `bring_back` sees to it that it runs again
    and tells whether it does, for it may have been stopped for good. Both block, and are called in a thread.
    """
    watching = asyncio.create_task(_watch(down, bring_back))
    try:
        yield
    finally:
        watching.cancel()
        await asyncio.wait([watching])


async def _watch(down: Callable[[], str | None], bring_back: Callable[[], bool]) -> None:
    since: float | None = None
    failures = 0
    while True:
        await asyncio.sleep(_PAUSES_S[min(failures, len(_PAUSES_S)) - 1] if failures else LOOK_EVERY_S)
        try:
            how = await _to_its_end(down)
            since = None if how is None else since or time.monotonic()
            is_due = since is not None and (how == "killed" or time.monotonic() - since >= BY_HAND_WITHIN_S)
            if is_due and await _to_its_end(bring_back):
                _log.warning("PostgreSQL was down and runs again", it_was=how)
            failures = 0
        except (StartFailed, HomeUnusable) as error:
            failures += 1
            _log.error("PostgreSQL is down and could not be started", code=error.code, detail=error.detail)
        except Exception:  # noqa: BLE001 - whatever it is, the server is to be looked after again
            failures += 1
            _log.exception("PostgreSQL is down and could not be started")


async def _to_its_end(work: Callable[[], T]) -> T:
    """Wait for what a thread does also when told to stop, so that it starts no server behind the back of a release."""
    doing = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(doing)
    except asyncio.CancelledError:
        await asyncio.wait([doing])
        raise
