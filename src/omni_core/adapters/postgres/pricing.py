"""The price table on PostgreSQL."""

from collections.abc import Sequence

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from omni_core.adapters.postgres.tables.pricing import price as price_table
from omni_core.adapters.postgres.uow import connection_of
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
        statement = insert(price_table).values(row)
        is_new = statement.on_conflict_do_nothing(index_elements=["tenant_id", "model", "effective_from"])
        if (await connection_of(tx).execute(is_new.returning(price_table.c.id))).first() is None:
            since = price.effective_from.isoformat()
            raise PriceExists(f"{price.model!r} has a price from {since} on already", model=price.model, since=since)

    async def list(self, tx: Transaction, model: str | None = None) -> Sequence[Price]:
        """Return prices, by model and then oldest first."""
        columns = price_table.c
        query = sa.select(price_table).where(columns.tenant_id == tx.tenant_id)
        if model is not None:
            query = query.where(columns.model == model)
        rows = await connection_of(tx).execute(query.order_by(columns.model.collate("C"), columns.effective_from))
        return [
            Price(
                id=row.id,
                model=row.model,
                currency=row.currency,
                effective_from=row.effective_from,
                tiers=msgspec.convert(row.tiers, tuple[Tier, ...]),
            )
            for row in rows
        ]
