import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from omni_core.adapters.embedded import EmbeddedPostgres, stop

HOLDER = Path(__file__).with_name("holder.py")


@dataclass
class Holder:
    """Another process that holds the server: a leader of its own process group, like a command in a terminal."""

    process: subprocess.Popen[str]

    def attached(self) -> str:
        """Wait until it has attached, and return the address it got."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, f"the holder ended with status {self.process.wait()}"
        return line.strip()

    def let_go(self) -> int:
        assert self.process.stdin is not None
        self.process.stdin.close()
        return self.process.wait(timeout=20)

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                stream.close()


StartHolder = Callable[..., Holder]


@pytest.fixture
def start_holder() -> Iterator[StartHolder]:
    started: list[Holder] = []

    def start(home: Path, way: str = "release") -> Holder:
        command = [sys.executable, str(HOLDER), str(home), way]
        process = subprocess.Popen(command, text=True, process_group=0, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        started.append(Holder(process))
        return started[-1]

    yield start
    for holder in started:
        holder.end()


@contextmanager
def folder() -> Iterator[Path]:
    """A folder of our own, rather than pytest's, which every new pytest session closes to other accounts again.

    Under root that would shut PostgreSQL's account out of its data in the middle of a start.
    """
    with TemporaryDirectory(prefix="embedded-") as name:
        yield Path(name).resolve()


@pytest.fixture
async def empty_home() -> AsyncIterator[Path]:
    with folder() as parent:
        yield parent / "home"
        await stop(parent / "home")


@pytest.fixture(scope="session")
async def made_home() -> AsyncIterator[Path]:
    with folder() as parent:
        async with EmbeddedPostgres(parent / "home").attached():
            pass
        yield parent / "home"


@pytest.fixture
async def home(made_home, start_holder) -> AsyncIterator[Path]:
    """A home whose cluster exists and whose server is down, before the test and after it."""
    yield made_home
    await stop(made_home)
