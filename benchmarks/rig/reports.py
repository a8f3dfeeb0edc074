"""The noisy neighbour: clients that ask for usage, added up, without pause. A process of its own counts what it gets.

Who is refused waits as long as `Retry-After` says.
"""

import argparse
import asyncio
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import uvloop

from rig.processes import cores, started

TOO_MANY = 429
_OK = 200


@dataclass(slots=True)
class Answered:
    """How many reports there were so far, and how many refusals."""

    reports: int = 0
    refused: int = 0


@asynccontextmanager
async def asking(port: int, key: str, clients: int, *, days: int) -> AsyncGenerator[Answered, None]:
    """Ask for the block, from the core that drives the load."""
    words = [str(Path(__file__)), f"--port={port}", f"--key={key}", f"--clients={clients}", f"--days={days}"]
    answered = Answered()
    async with started(words, cores()[1], {"PYTHONPATH": ":".join(sys.path)}) as process:
        assert process.stdout is not None
        listening = asyncio.create_task(_listen(process.stdout, answered))
        try:
            yield answered
        finally:
            listening.cancel()
            with suppress(asyncio.CancelledError):
                await listening


async def _listen(lines: asyncio.StreamReader, answered: Answered) -> None:
    async for line in lines:
        if line.strip() == b"report":
            answered.reports += 1
        elif line.strip() == b"refused":
            answered.refused += 1
        else:
            raise RuntimeError(line.decode())


async def _ask(session: aiohttp.ClientSession, query: list[tuple[str, str]]) -> None:
    while True:
        async with session.get("/v1/usage", params=query) as answer:
            body = await answer.read()
            if answer.status == _OK:
                print("report", flush=True)
            elif answer.status == TOO_MANY:
                print("refused", flush=True)
                await asyncio.sleep(float(answer.headers.get("Retry-After", "1")))
            else:
                print(f"{answer.status} {body[:300]!r}", flush=True)
                await asyncio.sleep(1.0)


async def run(port: int, key: str, clients: int, days: int) -> None:
    """Ask until the process is ended."""
    now = datetime.now(UTC)
    query = [("since", (now - timedelta(days=days)).isoformat()), ("until", (now + timedelta(days=1)).isoformat())]
    query += [("by", "model"), ("by", "key"), ("by", "day")]
    async with aiohttp.ClientSession(
        f"http://127.0.0.1:{port}",
        headers={"Authorization": f"Bearer {key}"},
        connector=aiohttp.TCPConnector(limit=0),
        timeout=aiohttp.ClientTimeout(total=120),
    ) as session:
        await asyncio.gather(*(_ask(session, query) for _ in range(clients)))


def main() -> None:
    """Read the arguments and ask."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--key", required=True)
    parser.add_argument("--clients", type=int, required=True)
    parser.add_argument("--days", type=int, required=True)
    given = parser.parse_args()
    uvloop.run(run(given.port, given.key, given.clients, given.days))


if __name__ == "__main__":
    main()
