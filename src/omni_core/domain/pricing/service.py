"""The price table: the use cases."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from omni_core.domain.kernel.clock import Clock, is_moment
from omni_core.domain.kernel.described import MomentText
from omni_core.domain.kernel.fresh import Fresh
from omni_core.domain.kernel.ids import Ids
from omni_core.domain.kernel.tenancy import PLATFORM, Principal, Scope
from omni_core.domain.kernel.uow import Transaction, UnitOfWork
from omni_core.domain.pricing.errors import InvalidPrice, NoPrice, PriceInThePast
from omni_core.domain.pricing.events import PriceSet
from omni_core.domain.pricing.model import Price, PricedModelText, PriceTexts, Rates, Tier
from omni_core.domain.pricing.ports import PriceStore

PRICES_FRESH_S = 1.0


class TierPrices(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Prices of calls whose input is longer than `above_input_tokens`; see `SetPrice.prices`."""

    above_input_tokens: Annotated[int, Meta(extra_json_schema={"minimum": 1})]
    prices: PriceTexts


class SetPrice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Price a model. `prices` maps meters to major units of a million tokens, or of one image or request."""

    model: PricedModelText
    prices: PriceTexts
    tiers: tuple[TierPrices, ...] = ()
    effective_from: MomentText | None = None


class PriceBook:
    """Prices for the path of every call, read again each second."""

    def __init__(self, uow: UnitOfWork, store: PriceStore, clock: Clock) -> None:
        self._uow = uow
        self._store = store
        self._prices = Fresh(self._read, clock, PRICES_FRESH_S)

    async def price(self, model: str, at: datetime) -> Price:
        """Return the price in force for a call that begins at `at`; raise `NoPrice`."""
        for price in (await self._prices.get()).get(model, ()):
            if price.effective_from <= at:
                if not price.tiers:  # not the price before it, which is no longer in force
                    break
                return price
        raise NoPrice(f"the model {model!r} has no price yet", model=model)

    def forget(self) -> None:
        """Read the table again at the next call."""
        self._prices.forget()

    async def _read(self) -> dict[str, list[Price]]:
        async with self._uow(PLATFORM) as tx:
            prices = await self._store.list(tx)
        newest_first: dict[str, list[Price]] = {}
        for price in reversed(prices):
            newest_first.setdefault(price.model, []).append(price)
        return newest_first


class Pricing:
    """The price table. A new price is known to `book`, this process's, at once, and to others within a second."""

    def __init__(
        self, uow: UnitOfWork, store: PriceStore, book: PriceBook, clock: Clock, ids: Ids, currency: str
    ) -> None:
        self._uow = uow
        self._store = store
        self._book = book
        self._clock = clock
        self._ids = ids
        self._currency = currency

    async def set_price(self, principal: Principal, command: SetPrice) -> Price:
        """Add a price (platform:admin); raise `InvalidPrice`, `PriceInThePast` or `PriceExists`."""
        principal.require(Scope.PLATFORM_ADMIN)
        async with self._uow(PLATFORM) as tx:
            price = await self.add(tx, command)
        self.forget()
        return price

    async def add(self, tx: Transaction, command: SetPrice) -> Price:
        """Add a price in a transaction of the platform that a permitted use case has open; afterwards call `forget`."""
        now = self._clock.now()
        base = Tier(0, Rates.parse(command.prices))
        tiers = (base, *(Tier(tier.above_input_tokens, Rates.parse(tier.prices)) for tier in command.tiers))
        since = command.effective_from or now
        if not is_moment(since):
            raise InvalidPrice(
                "effective_from lacks a UTC offset", field="effective_from", allowed="ISO 8601 with offset"
            )
        if since < now and await self._store.list(tx, command.model):
            raise PriceInThePast(field="effective_from", allowed=f"from {now.isoformat()} on")
        price = Price(self._ids.new(), command.model, self._currency, since, tiers)
        await self._store.add(tx, price)
        await tx.record(PriceSet(price.id, price.model, price.effective_from))
        return price

    def forget(self) -> None:
        """Read the table again at the next call, now that the transaction of `add` is committed."""
        self._book.forget()

    async def list(self, principal: Principal, model: str | None = None) -> Sequence[Price]:
        """Return the price table, by model and then oldest first (models:read)."""
        principal.require(Scope.MODELS_READ)
        async with self._uow(PLATFORM) as tx:
            return await self._store.list(tx, model)
