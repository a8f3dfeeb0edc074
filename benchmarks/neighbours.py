"""The noisy neighbour: one tenant's chat alone, and the same while another tenant asks for reports without pause.

The neighbour has 300,000 calls on record and 40 clients that add them up by model, key and day. The two states take
turns within each round, so that whatever else the machine does hits both alike; the ratio of chat's p95 is taken within
a round, and the median of the rounds is reported. The aim is at most 2.

    python benchmarks/neighbours.py              # about a minute
    python benchmarks/neighbours.py --short      # a third of that
    python benchmarks/neighbours.py --markdown   # the table of docs/benchmarks.md
"""

import argparse
import asyncio
import statistics
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

import asyncpg

from omni_core import OPERATOR, CreateKey, CreateTenant, Omni
from rig import tables
from rig.measure import Shape, load
from rig.reports import Answered, asking
from rig.targets import Target, direct, omni

CALLS = 300_000
DAYS = 28
REPORTERS = 40
CHAT = Shape(clients=8, streams=False, pause_s=0.02)
HEAD = ("chat, 8 clients", "neighbour", "answers/s", "p50 ms", "p95 ms", "p99 ms", "x alone", "reports/s", "refused/s")

# As the owner, because the program's role adds usage only by way of calls.
_FILL = """
insert into usage_event (tenant_id, id, idempotency_key, key_id, model, provider, status, input_quantity,
    cached_input_quantity, cache_write_quantity, output_quantity, image_quantity, audio_input_quantity,
    audio_output_quantity, request_quantity, estimated, price_id, price_tier, cost_picos, currency, latency_ms,
    request_id, occurred_at)
select $1::uuid, gen_random_uuid(), 'filled-' || n, md5('key' || n % 20)::uuid, 'model-' || n % 12, 'fake', 'completed',
       n % 900, 0, 0, n % 300, 0, 0, 0, 1, false, md5('price')::uuid, 0, n % 1000000, 'USD', 400, 'filled',
       now() - random() * make_interval(days => $3::int)
  from generate_series(1, $2::int) n
"""


@dataclass(frozen=True, slots=True)
class Plan:
    """How long to measure, in seconds."""

    rounds: int
    run_s: float
    warm_up_s: float


SHORT = Plan(rounds=3, run_s=2.0, warm_up_s=1.0)
FULL = Plan(rounds=5, run_s=5.0, warm_up_s=2.0)


@dataclass(frozen=True, slots=True)
class Turn:
    """What one state of one round came to: latencies in ms, answers and reports in a second."""

    rate: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    reports: float = 0.0
    refused: float = 0.0


async def compare(plan: Plan) -> list[tuple[Turn, Turn]]:
    """Start everything, let the two states take turns, stop everything."""
    async with AsyncExitStack() as stack:
        provider = await stack.enter_async_context(direct())
        governed, ledger = await stack.enter_async_context(omni(provider))
        key = await _furnish_neighbour(ledger.omni)
        await _turn(governed, plan.warm_up_s)
        rounds: list[tuple[Turn, Turn]] = []
        for _ in range(plan.rounds):
            alone = await _turn(governed, plan.run_s)
            async with asking(governed.port, key, REPORTERS, days=DAYS) as answered:
                await asyncio.sleep(plan.warm_up_s)
                rounds.append((alone, await _turn(governed, plan.run_s, answered)))
        return rounds


async def _furnish_neighbour(library: Omni) -> str:
    tenant = await library.tenants.create(OPERATOR, CreateTenant("neighbour", "Neighbour"))
    key = await library.keys.create(library.operator(tenant.id), CreateKey("reports", scopes=("usage:read",)))
    assert library.urls is not None
    owner = await asyncpg.connect(library.urls.owner)
    try:
        await owner.execute(_FILL, tenant.id, CALLS, DAYS)
        await owner.execute("vacuum analyze usage_event")
    finally:
        await owner.close()
    return key.secret


async def _turn(target: Target, seconds: float, answered: Answered | None = None) -> Turn:
    before = (answered.reports, answered.refused) if answered else (0, 0)
    outcome = await load(target, CHAT, seconds)
    if outcome.failed or not outcome.latencies:
        raise RuntimeError(f"{outcome.failed} chats failed; the first: {outcome.first_error}")
    after = (answered.reports, answered.refused) if answered else (0, 0)
    p50, p95, p99 = (outcome.quantile(share) * 1000 for share in (0.5, 0.95, 0.99))
    return Turn(outcome.rate, p50, p95, p99, *((new - old) / seconds for new, old in zip(after, before, strict=True)))


def ratio(rounds: Sequence[tuple[Turn, Turn]]) -> float:
    """Return chat's p95 beside the neighbour against its p95 alone in the same round, the median of the rounds."""
    return statistics.median(beside.p95_ms / alone.p95_ms for alone, beside in rounds)


def report(rounds: Sequence[tuple[Turn, Turn]], *, as_markdown: bool) -> str:
    """Return the table."""
    lines = []
    for place, neighbour in enumerate(("silent", f"{REPORTERS} reports at once")):
        turns = [pair[place] for pair in rounds]
        middle = [statistics.median(getattr(turn, name) for turn in turns) for name in Turn.__dataclass_fields__]
        rate, p50, p95, p99, reports, refused = middle
        lines.append(
            (
                "whole answers",
                neighbour,
                f"{rate:,.0f}",
                *(f"{figure:.2f}" for figure in (p50, p95, p99)),
                f"{ratio(rounds):.2f}" if place else "1.00",
                *(f"{figure:.1f}" if place else "" for figure in (reports, refused)),
            )
        )
    return (tables.markdown if as_markdown else tables.plain)(HEAD, lines)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true", help="shorter runs, for a look rather than for figures")
    parser.add_argument("--long", action="store_true", help="the default")
    parser.add_argument("--markdown", action="store_true", help="print Markdown")
    given = parser.parse_args()
    print(report(asyncio.run(compare(SHORT if given.short else FULL)), as_markdown=given.markdown))


if __name__ == "__main__":
    main()
