"""The price table on PostgreSQL."""

from collections.abc import Sequence

import msgspec

from omni_core.adapters.postgres import rows
from omni_core.adapters.postgres.tables.pricing import price as price_table
from omni_core.domain.kernel.stored import rebuilds
from omni_core.domain.kernel.uow import Transaction
from omni_core.domain.pricing.errors import PriceExists
from omni_core.domain.pricing.model import Price, Tier


class PostgresPriceStore:
    """The port `PriceStore`."""

    async def add(self, tx: Transaction, price: Price) -> None:
        """Store a new price."""
        row = {
            "tenant_id": tx.tenant_id,
            "id": price.id,
            "model": price.model,
            "currency": price.currency,
            "effective_from": price.effective_from,
            "tiers": msgspec.to_builtins(price.tiers),
        }
        if not await rows.added(tx, price_table, row, ["tenant_id", "model", "effective_from"]):
            since = price.effective_from.isoformat()
            raise PriceExists(f"{price.model!r} has a price from {since} on already", model=price.model, since=since)

    async def list(self, tx: Transaction, model: str | None = None) -> Sequence[Price]:
        """Return prices, by model and then oldest first."""
        columns = price_table.c
        wanted = [] if model is None else [columns.model == model]
        query = rows.of_tenant(tx, price_table, *wanted).order_by(columns.model.collate("C"), columns.effective_from)
        return [_from_row(row) for row in await rows.fetched(tx, query)]


@rebuilds
def _from_row(row: rows.Row) -> Price:
    return Price(
        id=row["id"],
        model=row["model"],
        currency=row["currency"],
        effective_from=row["effective_from"],
        tiers=msgspec.convert(row["tiers"], tuple[Tier, ...]),
    )
