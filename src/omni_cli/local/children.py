"""The processes that `omni up` starts, watches and stops."""

import asyncio
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from omni_core.domain.kernel.errors import DependencyFailed

GRACE_S: Final = 20.0
WORKER: Final = "omni_workers"
NAMES: Final = {"omni_http": "the HTTP server", WORKER: "the worker"}


class ChildEnded(DependencyFailed):
    """A process of `omni up` ended by itself."""

    code = "cli.process_ended"


class Children:
    """Processes of one `omni up`, by the module that each runs."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._processes: dict[str, Process] = {}

    async def start(self, module: str, variables: Mapping[str, str]) -> None:
        """Start a program in a session of its own, so that a Ctrl-C in the terminal reaches `omni up` alone."""
        self._processes[module] = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "omni_cli.local.lifeline", module, str(self._home)),
            stdin=PIPE,
            stdout=sys.stderr,  # standard output is for what `omni up` itself has to say
            start_new_session=True,
            env=variables,
        )

    async def watch(self) -> None:
        """Wait until any of them ends, and raise `ChildEnded`."""
        waiting = {asyncio.ensure_future(child.wait()): module for module, child in self._processes.items()}
        try:
            done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waiting:
                task.cancel()
        ended = done.pop()
        how = f"by {signal.Signals(-ended.result()).name}" if ended.result() < 0 else f"with exit code {ended.result()}"
        raise ChildEnded(f"{NAMES[waiting[ended]]} ended {how}")

    def kill(self) -> None:
        """End them on the spot: somebody is out of patience."""
        for child in self._living():
            child.kill()

    async def stop(self) -> None:
        """End them gracefully, and after `GRACE_S` seconds on the spot. Returns when none is left."""
        for child in self._living():
            child.terminate()
        waiting = asyncio.gather(*(child.wait() for child in self._processes.values()))
        try:
            await asyncio.wait_for(asyncio.shield(waiting), GRACE_S)
        except TimeoutError:
            self.kill()
            await waiting

    def _living(self) -> list[Process]:
        return [child for child in self._processes.values() if child.returncode is None]


@asynccontextmanager
async def stopped_at_the_end(children: Children) -> AsyncIterator[Children]:
    """Stop the children at the end of the block, however it ends."""
    try:
        yield children
    finally:
        await children.stop()
