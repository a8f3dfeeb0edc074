"""Omni's own PostgreSQL is killed, or restarted by hand, under programs that run on it: they go on."""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from omni_core import OPERATOR, CreateKey, CreateTenant, Omni, Settings
from omni_core.adapters.embedded import status
from tests.support.installation import calling
from tests.support.program import running_program
from tests.support.waiting import eventually

pytestmark = pytest.mark.slow
QUESTION = {"model": "omni-brain", "messages": [{"role": "user", "content": "Snow is white. What is white?"}]}


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder for Omni's data. Not below pytest's own: another session's start would shut PostgreSQL's account out."""
    with tempfile.TemporaryDirectory(prefix="omni-killed-") as folder:
        yield Path(folder)


async def furnished(home: Path) -> str:
    """Make the schema and a tenant, and return a key."""
    async with Omni.open(Settings(home=home), upgrade=True) as omni:
        tenant = await omni.tenants.create(OPERATOR, CreateTenant("acme", "Acme"))
        return (await omni.keys.create(omni.operator(tenant.id), CreateKey("all", ("all",)))).secret


async def kill(home: Path) -> None:
    """Kill the server, and wait until there is another: what is left of the first may answer for a moment."""
    pid = (await status(home)).pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)

    async def runs_again() -> bool:
        return (await status(home)).pid not in (None, pid)

    await eventually(runs_again)


async def answers(client: httpx.AsyncClient) -> bool:
    with suppress(httpx.TransportError):
        return (await client.post("/v1/chat/completions", json=QUESTION)).is_success
    return False


async def test_a_server_answers_again(home: Path) -> None:
    key = await furnished(home)
    async with running_program(home, {"OMNI_LOG_FORMAT": "json"}) as program, calling(program, key) as client:
        assert await answers(client)
        for _ in range(2):
            await kill(home)
            await eventually(lambda: answers(client))
        assert (await client.get("/health/ready")).status_code == 200
        assert "PostgreSQL was down and runs again" in program.log
    assert not (await status(home)).running


def started_worker(environment: Mapping[str, str], log: Path) -> subprocess.Popen[bytes]:
    with log.open("wb") as output:
        return subprocess.Popen([sys.executable, "-m", "omni_workers"], env=environment, stderr=output, cwd=log.parent)


async def test_a_worker_works_again(home: Path) -> None:
    await furnished(home)
    environment = {**os.environ, "OMNI_HOME": str(home), "OMNI_LOG_FORMAT": "json"}
    log = home / "worker.log"
    worker = started_worker(environment, log)

    async def has_been_ready(times: int) -> bool:
        assert worker.poll() is None, log.read_text()
        return log.read_text().count("worker.ready") >= times

    try:
        await eventually(lambda: has_been_ready(1))
        await kill(home)
        await eventually(lambda: has_been_ready(2))
    finally:
        worker.terminate()
        assert await asyncio.to_thread(worker.wait, 30) == 0
    assert not (await status(home)).running
