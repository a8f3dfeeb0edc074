"""The price table in memory."""

from collections.abc import Sequence

from omni_core.adapters.memory.database import memory_tx
from omni_core.domain.kernel.uow import Transaction
from omni_core.domain.pricing.errors import PriceExists
from omni_core.domain.pricing.model import Price


class MemoryPriceStore:
    """The port `PriceStore`."""

    async def add(self, tx: Transaction, price: Price) -> None:
        """Store a new price."""
        key = (price.model, price.effective_from)
        if memory_tx(tx).get("price", key) is not None:
            since = price.effective_from.isoformat()
            raise PriceExists(f"{price.model!r} has a price from {since} on already", model=price.model, since=since)
        memory_tx(tx).put("price", key, price)

    async def list(self, tx: Transaction, model: str | None = None) -> Sequence[Price]:
        """Return prices, by model and then oldest first."""
        prices = memory_tx(tx).find("price", lambda price: model is None or price.model == model)
        return sorted(prices, key=lambda price: (price.model, price.effective_from))
