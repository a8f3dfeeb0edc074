"""A PostgreSQL of the test's own that comes back when it was shut down or has crashed."""

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

import asyncpg

from tests.support.database import connected
from tests.support.server import running_server

BACK_WITHIN_S = 30.0

# Starts the server again, a second after it ended, until the test process closes the pipe.
RESTARTING = """
folder="$1"; shift
(while true; do "$@"; sleep 1; done) & loop=$!
cat >/dev/null
kill "$loop"; server=$(head -n 1 "$folder/data/postmaster.pid"); kill -INT "$server"
while kill -0 "$server" 2>/dev/null; do sleep 0.05; done
rm -rf "$folder"
"""


@contextmanager
def restarting_server() -> Iterator[str]:
    """Start such a server; give its URL as the owner."""
    with running_server(RESTARTING) as url:
        yield url


async def restart(url: str, how: signal.Signals = signal.SIGINT) -> None:
    """End the server and wait until it is back. SIGINT shuts it down, SIGQUIT makes it recover from its log."""
    before = await _started_at(url)
    os.kill(_postmaster(url), how)
    until = time.monotonic() + BACK_WITHIN_S
    while await _started_at(url) in {None, before}:
        if time.monotonic() > until:
            raise TimeoutError("PostgreSQL did not come back")
        await asyncio.sleep(0.05)


def _postmaster(url: str) -> int:
    pid_file = Path(url.partition("host=")[2], "data", "postmaster.pid")
    return int(pid_file.read_text().splitlines()[0])


async def _started_at(url: str) -> datetime | None:
    with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        async with connected(url) as connection:
            moment: datetime = await connection.fetchval("select pg_postmaster_start_time()")
            return moment
    return None
