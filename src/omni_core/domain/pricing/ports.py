"""What pricing needs from outside."""

from collections.abc import Sequence
from typing import Protocol

from omni_core.domain.kernel.uow import Transaction
from omni_core.domain.pricing.model import Price


class PriceStore(Protocol):
    """The price table, kept by the platform."""

    async def add(self, tx: Transaction, price: Price) -> None:
        """Store a new price; raise `PriceExists` where the model has one from that moment."""
        ...

    async def list(self, tx: Transaction, model: str | None = None) -> Sequence[Price]:
        """Return all prices, or those of one model, by model and then oldest first."""
        ...
