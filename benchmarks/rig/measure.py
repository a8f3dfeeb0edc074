"""One run of the load against one target, and what many of them come to."""

import asyncio
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from rig.load import Outcome
from rig.processes import cores, started
from rig.targets import Target

LOAD = Path(__file__).with_name("load.py")


@dataclass(frozen=True, slots=True)
class Shape:
    """How the load is shaped."""

    clients: int
    streams: bool
    pause_s: float = 0.0
    """What a client waits after each answer."""

    def __str__(self) -> str:
        return (
            f"{self.clients} {'client' if self.clients == 1 else 'clients'}, {'streamed' if self.streams else 'whole'}"
        )


@dataclass(frozen=True, slots=True)
class Figures:
    """A run: answers in a second, latencies in ms, CPU in ms for each answer, memory in MB, `completed` answers."""

    rate: float
    p50_ms: float
    p99_ms: float
    cpu_ms: float
    database_cpu_ms: float
    memory_mb: float
    completed: int


async def measure(target: Target, shape: Shape, seconds: float) -> Figures:
    """Load the target; raise `RuntimeError` where an answer failed."""
    cpu = target.server.cpu_s()
    database_cpu = target.database.cpu_s() if target.database else 0.0
    outcome = await load(target, shape, seconds)
    cpu = target.server.cpu_s() - cpu
    database_cpu = target.database.cpu_s() - database_cpu if target.database else 0.0
    if outcome.failed or not outcome.latencies:
        raise RuntimeError(f"{target.name}, {shape}: {outcome.failed} answers failed; the first: {outcome.first_error}")
    return Figures(
        rate=outcome.rate,
        p50_ms=outcome.quantile(0.5) * 1000,
        p99_ms=outcome.quantile(0.99) * 1000,
        cpu_ms=cpu / outcome.completed * 1000,
        database_cpu_ms=database_cpu / outcome.completed * 1000,
        memory_mb=target.server.memory_mb(),
        completed=outcome.completed,
    )


async def load(target: Target, shape: Shape, seconds: float) -> Outcome:
    """Load the target and return what came of it, failures included."""
    arguments = [str(LOAD), f"--port={target.port}", f"--clients={shape.clients}", f"--seconds={seconds}"]
    arguments += [f"--pause={shape.pause_s}", f"--key={target.key}", *(["--stream"] if shape.streams else [])]
    async with started(arguments, cores()[1]) as process:
        printed, _ = await process.communicate()
    return msgspec.json.decode(printed, type=Outcome)


async def watch_memory(target: Target, shape: Shape, seconds: float) -> tuple[list[float], int]:
    """Load the target for a longer time; return its memory each second (MB), and how many answers it gave."""
    samples: list[float] = []

    async def sample() -> None:
        while True:
            samples.append(target.server.memory_mb())
            await asyncio.sleep(1.0)

    sampling = asyncio.create_task(sample())
    try:
        figures = await measure(target, shape, seconds)
    finally:
        sampling.cancel()
    return [*samples, figures.memory_mb], figures.completed


def median(rounds: Sequence[Figures]) -> Figures:
    """Return the median of each figure; `completed` is the sum."""
    middle = {
        name: statistics.median(getattr(figures, name) for figures in rounds)
        for name in ("rate", "p50_ms", "p99_ms", "cpu_ms", "database_cpu_ms", "memory_mb")
    }
    return Figures(**middle, completed=sum(figures.completed for figures in rounds))
