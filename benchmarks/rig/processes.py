"""Processes that a benchmark starts, measures and stops, each by its own handle."""

import asyncio
import os
import socket
import sys
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress

import psutil

READY_WITHIN_S = 30.0
STOP_WITHIN_S = 15.0
MB = 1_000_000


class Measured:
    """A running process. CPU is user and system time of all its threads, in seconds; memory is resident, in MB."""

    def __init__(self, pid: int, *, with_children: bool = False) -> None:
        self._process = psutil.Process(pid)
        self._with_children = with_children

    def cpu_s(self) -> float:
        """Return the time that it has computed so far; of children, also of those that have ended."""
        total = 0.0
        for process in self._all():
            with suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                total += times.user + times.system
        if self._with_children:
            ended = self._process.cpu_times()
            total += ended.children_user + ended.children_system
        return total

    def memory_mb(self) -> float:
        """Return its resident memory."""
        resident: int = self._process.memory_info().rss
        return resident / MB

    def pin(self, core: int | None) -> None:
        """Keep it, and what it starts from now on, on one core; on any where None."""
        if core is not None:
            for process in self._all():
                with suppress(ProcessLookupError):  # a child that ended just now
                    os.sched_setaffinity(process.pid, {core})

    def _all(self) -> list[psutil.Process]:
        return [self._process, *(self._process.children() if self._with_children else ())]


@asynccontextmanager
async def started(
    arguments: Sequence[str],
    core: int | None,
    environment: Mapping[str, str] | None = None,
    *,
    python: str = sys.executable,
) -> AsyncGenerator[asyncio.subprocess.Process, None]:
    """Run `python` with `arguments` on one core (any, where None) for the block; what it prints can be read."""
    process = await asyncio.create_subprocess_exec(
        python, *arguments, stdout=asyncio.subprocess.PIPE, env={**os.environ, **(environment or {})}
    )
    try:
        Measured(process.pid).pin(core)
        yield process
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.terminate()
            try:
                async with asyncio.timeout(STOP_WITHIN_S):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()


async def output_of(command: Sequence[str], environment: Mapping[str, str]) -> bytes:
    """Run a program to its end and return what it prints; raise where it fails."""
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, env={**os.environ, **environment}
    )
    output, _ = await process.communicate()
    if process.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}")
    return output


def cores() -> tuple[int | None, int | None]:
    """Return a core for the server under test and one for everything that drives it; none where they cannot be set."""
    if not hasattr(os, "sched_getaffinity"):
        return None, None
    allowed = sorted(os.sched_getaffinity(0))
    return (allowed[0], allowed[1]) if len(allowed) > 1 else (None, None)


def free_port() -> int:
    """Return a port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def listening(port: int, process: asyncio.subprocess.Process) -> None:
    """Wait until somebody listens on `port`; raise `RuntimeError` where the process ends or takes too long."""
    async with asyncio.timeout(READY_WITHIN_S):
        while process.returncode is None:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return
    raise RuntimeError(f"the process ended with {process.returncode} instead of serving")
