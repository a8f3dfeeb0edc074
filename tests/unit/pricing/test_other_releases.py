"""Prices whose rows another release wrote."""

from datetime import timedelta

import pytest

from omni_core.adapters.memory.pricing import MemoryPriceStore
from omni_core.domain.kernel.stored import rebuilds
from omni_core.domain.kernel.tenancy import PLATFORM
from omni_core.domain.metering.api import Meter, Quantities
from omni_core.domain.pricing.api import PriceBook, Tier, format_rate
from omni_core.domain.pricing.errors import NoPrice
from omni_core.testing.builders.kernel import unheard_of
from omni_core.testing.builders.pricing import a_price
from omni_core.testing.clock import NOON


async def test_one_without_tiers_prices_nothing_and_harms_no_other(memory):
    sound, bare = a_price(), rebuilds(a_price)(tiers=())
    async with memory.uow(PLATFORM) as tx:
        for price in (sound, bare):
            await memory.make(MemoryPriceStore).add(tx, price)
    book = PriceBook(memory.uow, memory.make(MemoryPriceStore), memory.clock)
    assert await book.price(sound.model, NOON) == sound
    with pytest.raises(NoPrice):
        await book.price(bare.model, NOON)


async def test_one_without_tiers_does_not_bring_an_earlier_price_back(memory):
    sound = a_price()
    bare = rebuilds(a_price)(model=sound.model, tiers=(), effective_from=NOON - timedelta(hours=1))
    async with memory.uow(PLATFORM) as tx:
        for price in (sound, bare):
            await memory.make(MemoryPriceStore).add(tx, price)
    with pytest.raises(NoPrice):
        await PriceBook(memory.uow, memory.make(MemoryPriceStore), memory.clock).price(sound.model, NOON)


def test_tiers_that_do_not_begin_at_nothing_still_have_a_highest_cost():
    rates = a_price().tiers[0].rates
    price = rebuilds(a_price)(tiers=(Tier(1000, rates),))
    assert price.highest_cost(Quantities(input=1)) == rates.input
    assert price.tier_for(1) == price.tiers[0]


def test_the_price_of_a_meter_that_nobody_knows_is_for_one_of_it():
    assert format_rate(2_500_000, unheard_of(Meter)) == "0.0000025"
