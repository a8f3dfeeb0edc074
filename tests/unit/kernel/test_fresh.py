import asyncio

import pytest

from omni_core.domain.kernel.fresh import Fresh
from omni_core.testing import FixedClock


class Well:
    """Gives a greater number each time it is asked, when it is let."""

    def __init__(self) -> None:
        self.asked = 0
        self.open = asyncio.Event()
        self.open.set()
        self.dry = False

    async def draw(self) -> int:
        self.asked += 1
        drawn = self.asked
        await self.open.wait()
        if self.dry:
            raise LookupError("the well is dry")
        return drawn


async def test_a_value_serves_until_it_is_old():
    clock, well = FixedClock(), Well()
    fresh = Fresh(well.draw, clock, fresh_s=0.5)
    assert [await fresh.get(), await fresh.get()] == [1, 1]
    clock.advance(0.499)
    assert await fresh.get() == 1
    clock.advance(0.001)
    assert await fresh.get() == 2


async def test_one_reads_for_all_who_wait():
    well = Well()
    well.open.clear()
    fresh = Fresh(well.draw, FixedClock(), fresh_s=0.5)
    waiting = [asyncio.create_task(fresh.get()) for _ in range(10)]
    await asyncio.sleep(0)
    well.open.set()
    assert await asyncio.gather(*waiting) == [1] * 10


async def test_age_counts_from_before_the_reading():
    clock, well = FixedClock(), Well()
    well.open.clear()
    fresh = Fresh(well.draw, clock, fresh_s=0.5)
    slow = asyncio.create_task(fresh.get())
    await asyncio.sleep(0)
    clock.advance(1)
    well.open.set()
    assert await slow == 1
    assert await fresh.get() == 2


async def test_what_is_forgotten_is_read_again():
    well = Well()
    fresh = Fresh(well.draw, FixedClock(), fresh_s=60)
    assert await fresh.get() == 1
    fresh.forget()
    assert await fresh.get() == 2


async def test_a_failure_reaches_the_caller_and_is_not_kept():
    well = Well()
    fresh = Fresh(well.draw, FixedClock(), fresh_s=60)
    well.dry = True
    with pytest.raises(LookupError):
        await fresh.get()
    well.dry = False
    assert await fresh.get() == 2
