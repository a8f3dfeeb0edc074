"""The price of governance: a provider direct, a bare pass-through (the floor) and Omni, side by side in one run.

Omni authenticates a key, reserves on a month's budget and commits the usage of each call before its answer ends. The
targets take turns within each round, so that whatever else the machine does hits all alike; ratios are taken within a
round, and the median of the rounds is reported.

    python benchmarks/gateway.py              # under six minutes
    python benchmarks/gateway.py --short      # under one
    python benchmarks/gateway.py --markdown   # the tables of docs/benchmarks.md
    python benchmarks/gateway.py --against ../before  # beside the Omni of another checkout, installed there
"""

import argparse
import asyncio
import statistics
from collections import defaultdict
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from rig import tables
from rig.measure import Figures, Shape, measure, median, watch_memory
from rig.targets import Target, direct, floor, omni, omni_of

SHAPES = [Shape(clients, streams) for streams in (False, True) for clients in (1, 16, 64)]
HEAD = ("load", "target", "answers/s", "p50 ms", "p99 ms", "CPU ms", "x floor", "database CPU ms", "memory MB")


@dataclass(frozen=True, slots=True)
class Plan:
    """How long to measure, in seconds."""

    rounds: int
    run_s: float
    warm_up_s: float
    watch_s: float


SHORT = Plan(rounds=2, run_s=0.6, warm_up_s=1.0, watch_s=3.0)
FULL = Plan(rounds=5, run_s=2.0, warm_up_s=1.0, watch_s=30.0)


@dataclass(slots=True)
class Results:
    """What was measured, by shape and target, a figure for each round; and Omni's memory over time."""

    rounds: dict[tuple[Shape, str], list[Figures]] = field(default_factory=lambda: defaultdict(list))
    memory_mb: list[float] = field(default_factory=list)
    answered: int = 0
    recorded: int = 0

    def ratio(self, shape: Shape, name: str) -> float:
        """Return the CPU of an answer against the floor's in the same round, the median of the rounds."""
        pairs = zip(self.rounds[shape, name], self.rounds[shape, "floor"], strict=True)
        return statistics.median(mine.cpu_ms / its.cpu_ms for mine, its in pairs)


async def compare(plan: Plan, before: Path | None = None) -> Results:
    """Start the targets, the Omni of another checkout among them where one is given, let them take turns, stop them."""
    async with AsyncExitStack() as stack:
        provider = await stack.enter_async_context(direct())
        bare = await stack.enter_async_context(floor(provider))
        governed, ledger = await stack.enter_async_context(omni(provider))
        targets = [provider, bare, governed]
        if before is not None:
            targets.append(await stack.enter_async_context(omni_of(before, provider)))
        results = Results()
        for target in targets:
            await _warm_up(target, plan, results)
        for _ in range(plan.rounds):
            await _round(targets, plan, results)
        results.memory_mb, answered = await watch_memory(governed, Shape(64, streams=False), plan.watch_s)
        results.answered += answered
        results.recorded = await ledger.calls()
        return results


async def _warm_up(target: Target, plan: Plan, results: Results) -> None:
    for streams in (False, True):
        figures = await measure(target, Shape(16, streams), plan.warm_up_s)
        results.answered += figures.completed if target.name == "Omni" else 0


async def _round(targets: Sequence[Target], plan: Plan, results: Results) -> None:
    for shape in SHAPES:
        for target in targets:
            figures = await measure(target, shape, plan.run_s)
            results.rounds[shape, target.name].append(figures)
            results.answered += figures.completed if target.name == "Omni" else 0


def rows(results: Results) -> list[tuple[str, ...]]:
    """Return a line for each load and target."""
    lines: list[tuple[str, ...]] = []
    for (shape, name), rounds in results.rounds.items():
        figures = median(rounds)
        is_omni = figures.database_cpu_ms > 0
        lines.append(
            (
                str(shape),
                name,
                f"{figures.rate:,.0f}",
                f"{figures.p50_ms:.2f}",
                f"{figures.p99_ms:.2f}",
                f"{figures.cpu_ms:.3f}",
                "" if name.startswith("provider") else f"{results.ratio(shape, name):.2f}",
                f"{figures.database_cpu_ms:.3f}" if is_omni else "",
                f"{figures.memory_mb:.0f}",
            )
        )
    return lines


def report(results: Results, *, as_markdown: bool) -> str:
    """Return the tables and the sentences below them."""
    table = (tables.markdown if as_markdown else tables.plain)(HEAD, rows(results))
    memory = results.memory_mb
    return (
        f"{table}\n\n"
        f"Omni's memory over the last {len(memory) - 1} s at 64 clients: {memory[0]:.0f} MB at first, "
        f"{max(memory):.0f} MB at most, {memory[-1]:.0f} MB at last.\n"
        f"Answers completed through Omni: {results.answered:,}; usage rows in its database: {results.recorded:,}."
    )


def main() -> None:
    """Measure, print, and fail where usage was lost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true", help="shorter runs, for a look rather than for figures")
    parser.add_argument("--long", action="store_true", help="the default")
    parser.add_argument("--markdown", action="store_true", help="print Markdown")
    parser.add_argument(
        "--against",
        type=lambda name: Path(name).resolve(),
        metavar="CHECKOUT",
        help="another checkout, to run its Omni too",
    )
    given = parser.parse_args()
    results = asyncio.run(compare(SHORT if given.short else FULL, given.against))
    print(report(results, as_markdown=given.markdown))
    if results.answered != results.recorded:
        raise SystemExit(f"{results.answered} answers, but {results.recorded} usage rows")


if __name__ == "__main__":
    main()
