"""`omni up` waits for its worker, which says by itself when it is ready."""

import asyncio
import os
import subprocess
import sys

import pytest

from omni_cli.local.address import NotReady
from omni_cli.local.readiness import readiness

ANNOUNCE = "from omni_workers.announcing import announce_ready; announce_ready()"


def announce(**variables: str) -> subprocess.CompletedProcess[str]:
    """Let another process announce itself, as a worker does."""
    command = [sys.executable, "-c", ANNOUNCE]
    environment = {**os.environ, **variables}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30, check=True)


async def test_it_is_ready_when_the_worker_says_so() -> None:
    with readiness() as worker:
        waiting = asyncio.create_task(worker.until_ready())
        await asyncio.sleep(0.05)
        assert not waiting.done()
        await asyncio.to_thread(announce, **worker.variable)
        await waiting


async def test_it_is_not_ready_while_the_worker_says_nothing() -> None:
    with readiness() as worker, pytest.raises(NotReady, match="the worker has not reached its queue"):
        await worker.until_ready(within_s=0.05)


@pytest.mark.parametrize("variables", [{}, {"NOTIFY_SOCKET": "/nowhere/at/all"}, {"NOTIFY_SOCKET": "@omni-nobody"}])
def test_a_worker_works_although_nobody_wants_to_know(variables: dict[str, str]) -> None:
    told = announce(**variables).stdout
    assert ("supervisor not told" in told) == bool(variables)
