from datetime import datetime, timedelta

import pytest

from omni_core.adapters.memory.events import MemoryEventLog
from omni_core.adapters.memory.pricing import MemoryPriceStore
from omni_core.domain.kernel.errors import MissingScope
from omni_core.domain.kernel.pages import PageRequest
from omni_core.domain.kernel.tenancy import OPERATOR, PLATFORM, Scope
from omni_core.domain.pricing.api import PriceBook, Pricing, SetPrice, TierPrices
from omni_core.domain.pricing.errors import InvalidPrice, NoPrice, PriceExists, PriceInThePast
from omni_core.domain.pricing.service import PRICES_FRESH_S
from omni_core.testing.builders.kernel import a_tenant_id
from omni_core.testing.builders.tenancy import a_principal

CHEAP = {"input": "1", "output": "2"}
DEAR = {"input": "3", "output": "4"}
HOUR = timedelta(hours=1)


@pytest.fixture
def pricing(memory, book):
    return Pricing(memory.uow, memory.make(MemoryPriceStore), book, memory.clock, memory.ids, "USD")


@pytest.fixture
def book(memory):
    return PriceBook(memory.uow, memory.make(MemoryPriceStore), memory.clock)


async def test_a_price_is_in_force_at_once_and_told(pricing, book, memory):
    price = await pricing.set_price(OPERATOR, SetPrice("m", CHEAP, (TierPrices(1000, DEAR),)))
    assert [tier.above_input_tokens for tier in price.tiers] == [0, 1000]
    assert (price.currency, price.effective_from) == ("USD", memory.clock.now())
    assert await book.price("m", memory.clock.now()) == price
    async with memory.uow(PLATFORM) as tx:
        (event,) = (await memory.make(MemoryEventLog).read(tx, PageRequest())).items
    assert (event.event_type, event.aggregate_id, event.data["model"]) == ("pricing.price_set", price.id, "m")


async def test_the_price_in_force_is_the_one_of_the_calls_beginning(pricing, book, memory):
    now = memory.clock.now()
    first = await pricing.set_price(OPERATOR, SetPrice("m", CHEAP))
    second = await pricing.set_price(OPERATOR, SetPrice("m", DEAR, effective_from=now + HOUR))
    assert await book.price("m", now) == first
    assert await book.price("m", now + HOUR - timedelta(microseconds=1)) == first
    assert await book.price("m", now + HOUR) == second
    with pytest.raises(NoPrice):
        await book.price("m", now - HOUR)
    with pytest.raises(NoPrice):
        await book.price("other", now)


async def test_a_new_price_is_known_at_once_here_and_within_a_second_elsewhere(pricing, book, memory):
    await pricing.set_price(OPERATOR, SetPrice("m", CHEAP))
    elsewhere = PriceBook(memory.uow, memory.make(MemoryPriceStore), memory.clock)
    old = await elsewhere.price("m", memory.clock.now())
    assert await book.price("m", memory.clock.now()) == old
    memory.clock.advance(PRICES_FRESH_S / 2)
    new = await pricing.set_price(OPERATOR, SetPrice("m", DEAR))
    assert await elsewhere.price("m", memory.clock.now()) == old
    assert await book.price("m", memory.clock.now()) == new
    memory.clock.advance(PRICES_FRESH_S / 2)
    assert await elsewhere.price("m", memory.clock.now()) == new


async def test_only_a_models_first_price_may_begin_in_the_past(pricing, memory):
    now = memory.clock.now()
    first = await pricing.set_price(OPERATOR, SetPrice("m", CHEAP, effective_from=now - HOUR))
    with pytest.raises(PriceInThePast):
        await pricing.set_price(OPERATOR, SetPrice("m", DEAR, effective_from=now - timedelta(microseconds=1)))
    assert list(await pricing.list(OPERATOR)) == [first]


async def test_a_moment_has_one_price(pricing):
    await pricing.set_price(OPERATOR, SetPrice("m", CHEAP))
    with pytest.raises(PriceExists):
        await pricing.set_price(OPERATOR, SetPrice("m", DEAR))


@pytest.mark.parametrize(
    "command",
    [
        SetPrice("m", CHEAP, effective_from=datetime(2026, 12, 1)),  # noqa: DTZ001 - the naive time is what is refused
        SetPrice("m", CHEAP, (TierPrices(0, DEAR),)),
        SetPrice("m", CHEAP, (TierPrices(9, DEAR), TierPrices(8, DEAR))),
        SetPrice("", CHEAP),
    ],
)
async def test_what_makes_no_price_leaves_none(pricing, command):
    with pytest.raises(InvalidPrice):
        await pricing.set_price(OPERATOR, command)
    assert list(await pricing.list(OPERATOR)) == []


async def test_every_use_needs_its_scope(pricing):
    tenant = a_principal(a_tenant_id())
    with pytest.raises(MissingScope):
        await pricing.set_price(tenant, SetPrice("m", CHEAP))
    assert list(await pricing.list(a_principal(a_tenant_id(), Scope.MODELS_READ))) == []
    with pytest.raises(MissingScope):
        await pricing.list(a_principal(a_tenant_id(), Scope.CHAT))
