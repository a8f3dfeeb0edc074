"""An application that cannot start."""

import asyncio
from typing import Any

from structlog.testing import capture_logs

from omni_core import Settings
from omni_http.app import create_app


async def test_what_keeps_it_from_starting_is_said_in_one_entry() -> None:
    inbox: asyncio.Queue[Any] = asyncio.Queue()
    outbox: asyncio.Queue[Any] = asyncio.Queue()
    await inbox.put({"type": "lifespan.startup"})
    app: Any = create_app(Settings(database_url="postgresql://omni_app:hush@127.0.0.1:1/omni"))
    scope = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}
    with capture_logs() as logs:
        living = asyncio.ensure_future(app(scope, inbox.get, outbox.put))
        answer = await asyncio.wait_for(outbox.get(), 30)
        await asyncio.gather(living, return_exceptions=True)
    assert answer["type"] == "lifespan.startup.failed"
    (entry,) = [one for one in logs if one["event"] == "cannot start"]
    assert entry["code"] == "postgres.unavailable"
    assert "hush" not in f"{logs} {answer}"
