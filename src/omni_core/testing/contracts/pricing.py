"""What every PriceStore does."""

from datetime import timedelta

import pytest

from omni_core.domain.kernel.stored import rebuilds
from omni_core.domain.kernel.tenancy import TenantId
from omni_core.domain.kernel.uow import UnitOfWork
from omni_core.domain.pricing.errors import PriceExists
from omni_core.domain.pricing.model import Price, Rates, Tier
from omni_core.domain.pricing.ports import PriceStore
from omni_core.testing.builders.kernel import a_tenant_id
from omni_core.testing.builders.pricing import a_price
from omni_core.testing.clock import NOON

# Prices are the platform's; a suite that shares a database keeps them under tenants of its own.


class PriceStoreContract:
    """Fixtures: `price_store`, and a `uow` of the same technology."""

    async def test_a_price_comes_back_as_it_went_in(self, uow: UnitOfWork, price_store: PriceStore) -> None:
        finest = {"cached_input": "0.000000000001", "audio_output": "999999999999.999999999999"}
        dear = Rates.parse({"input": "5", "output": "22.5", "image": "987654.000000000001", **finest})
        price = a_price(Tier(200_000, dear), currency="EUR", effective_from=NOON + timedelta(microseconds=1))
        owner = await stored(uow, price_store, price)
        async with uow(owner) as tx:
            assert list(await price_store.list(tx)) == [price]

    async def test_prices_are_listed_by_model_and_then_from_the_oldest(
        self, uow: UnitOfWork, price_store: PriceStore
    ) -> None:
        days = [NOON + timedelta(days=number) for number in range(3)]
        lower, upper = (a_price(model="b", effective_from=days[0]), a_price(model="B", effective_from=days[0]))
        newest, oldest = (a_price(model="a", effective_from=days[2]), a_price(model="a", effective_from=days[1]))
        owner = await stored(uow, price_store, lower, newest, upper, oldest)
        async with uow(owner) as tx:
            assert list(await price_store.list(tx)) == [upper, oldest, newest, lower]
            assert list(await price_store.list(tx, "a")) == [oldest, newest]
            assert list(await price_store.list(tx, "c")) == []

    async def test_a_model_has_one_price_from_a_moment_on(self, uow: UnitOfWork, price_store: PriceStore) -> None:
        price = a_price()
        owner = await stored(uow, price_store, price)
        another = a_price(model=price.model)
        later = a_price(model=price.model, effective_from=price.effective_from + timedelta(microseconds=1))
        async with uow(owner) as tx:
            with pytest.raises(PriceExists):
                await price_store.add(tx, another)
            await price_store.add(tx, later)
        async with uow(owner) as tx:
            assert list(await price_store.list(tx)) == [price, later]

    async def test_what_is_rolled_back_was_never_a_price(self, uow: UnitOfWork, price_store: PriceStore) -> None:
        owner, price = a_tenant_id(), a_price()

        async def fail() -> None:
            async with uow(owner) as tx:
                await price_store.add(tx, price)
                raise LookupError

        with pytest.raises(LookupError):
            await fail()
        async with uow(owner) as tx:
            assert list(await price_store.list(tx)) == []
            await price_store.add(tx, price)

    async def test_no_tenant_sees_anothers(self, uow: UnitOfWork, price_store: PriceStore) -> None:
        price = a_price()
        await stored(uow, price_store, price)
        async with uow(a_tenant_id()) as tx:
            assert list(await price_store.list(tx, price.model)) == []

    async def test_a_price_of_another_release_is_listed(self, uow: UnitOfWork, price_store: PriceStore) -> None:
        tier = Tier(5, a_price().tiers[0].rates)
        price = rebuilds(a_price)(model=" no name ", currency="XYZ", tiers=(tier, tier))
        bare = rebuilds(a_price)(model="~", tiers=())
        owner = await stored(uow, price_store, price, bare)
        async with uow(owner) as tx:
            assert list(await price_store.list(tx)) == [price, bare]


async def stored(uow: UnitOfWork, price_store: PriceStore, *prices: Price) -> TenantId:
    """Commit prices under a new tenant and return its id."""
    owner = a_tenant_id()
    async with uow(owner) as tx:
        for price in prices:
            await price_store.add(tx, price)
    return owner
