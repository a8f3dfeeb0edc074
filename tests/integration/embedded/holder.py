"""A process that attaches to a home's server, says so in one line, and lets go when its standard input ends.

Usage: holder.py HOME [leave | fork | watch]
    watch   start the server again when it is killed
    leave   then exit without releasing
    fork    first let a forked child exit, which inherits the exit handlers
"""

import asyncio
import os
import sys
from pathlib import Path

from omni_core.adapters.embedded import OWNER_ROLE, EmbeddedPostgres


async def hold(home: Path, way: str) -> None:
    if way == "watch":
        async with EmbeddedPostgres(home).attached() as server:
            sys.stdout.write(f"{server.dsn(OWNER_ROLE)}\n")
            sys.stdout.flush()
            await end_of_input()
        return
    server = await EmbeddedPostgres(home).attach()
    if way == "fork":
        child_exits()
    sys.stdout.write(f"{server.dsn(OWNER_ROLE)}\n")
    sys.stdout.flush()
    try:
        await end_of_input()
    finally:
        if way != "leave":
            await server.release()


def child_exits() -> None:
    child = os.fork()
    if child == 0:
        sys.exit()
    os.waitpid(child, 0)


async def end_of_input() -> None:
    ended = asyncio.Event()
    asyncio.get_running_loop().add_reader(sys.stdin, ended.set)
    await ended.wait()


if __name__ == "__main__":
    asyncio.run(hold(Path(sys.argv[1]), (sys.argv[2:] or ["release"])[0]))
