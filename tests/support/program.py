"""The server as its users run it: `python -m omni_http`, a process of its own."""

import asyncio
import itertools
import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

READY_WITHIN_S = 30.0
STOPPED_WITHIN_S = 15.0
_numbers = itertools.count(1)
_KEPT = ("HOME", "LANG", "PATH", "TMPDIR", "VIRTUAL_ENV")


def free_port() -> int:
    """Return a port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


class Program:
    """A server on a free port. `settings` are environment variables; of this process's own it sees hardly any."""

    def __init__(self, home: Path, settings: Mapping[str, str]) -> None:
        self._home = home
        self._port = 0
        self._settings = settings
        self._log = home / f"server-{next(_numbers)}.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def log(self) -> str:
        """Everything that it has written so far."""
        return self._log.read_text(encoding="utf-8")

    def start(self) -> None:
        """Start it, unless it was started already."""
        if self._process is not None:
            return
        self._port = free_port()
        environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
        own = {"OMNI_HOME": str(self._home), "OMNI_PORT": str(self._port), **self._settings}
        with self._log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "omni_http"],
                env=environment | own,
                cwd=self._home,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    async def ready(self) -> None:
        """Wait until it can serve; raise with its log where it cannot."""
        until = time.monotonic() + READY_WITHIN_S
        async with httpx.AsyncClient(base_url=self.url) as client:
            while not await _is_ready(client):
                if self.exit_code is not None or time.monotonic() > until:
                    raise RuntimeError(f"the server did not become ready:\n{self.log}")
                await asyncio.sleep(0.02)

    @property
    def exit_code(self) -> int | None:
        """What it ended with; None while it runs."""
        return self._process.poll() if self._process is not None else None

    def kill(self) -> None:
        """End it as a crash would, without a word (SIGKILL)."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    async def stop(self) -> int | None:
        """Ask it to end (SIGTERM) and return its exit code; kill it where it does not."""
        if self._process is not None and self.exit_code is None:
            self._process.terminate()
            try:
                await asyncio.to_thread(self._process.wait, STOPPED_WITHIN_S)
            except subprocess.TimeoutExpired:
                self.kill()
        return self.exit_code


async def _is_ready(client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get("/health/ready")).is_success
    except httpx.TransportError:
        return False


@asynccontextmanager
async def running_program(home: Path, settings: Mapping[str, str]) -> AsyncIterator[Program]:
    """Start a server, wait until it can serve, and stop it at the end."""
    program = Program(home, settings)
    program.start()
    try:
        await program.ready()
        yield program
    finally:
        await program.stop()
