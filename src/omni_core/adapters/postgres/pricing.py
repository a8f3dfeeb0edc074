"""The price table on PostgreSQL."""

from collections.abc import Iterator, Sequence
from typing import Any

from omni_core.adapters.postgres import rows
from omni_core.adapters.postgres.tables.pricing import price as price_table
from omni_core.domain.kernel.money import Picos, exactly, picos_text
from omni_core.domain.kernel.stored import rebuilds
from omni_core.domain.kernel.uow import Transaction
from omni_core.domain.pricing.errors import PriceExists
from omni_core.domain.pricing.model import Price, Rates, Tier


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
            "tiers": [_tier_to_row(tier) for tier in price.tiers],
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
        tiers=tuple(_tier_from_row(tier) for tier in row["tiers"]),
    )


def _tier_to_row(tier: Tier) -> dict[str, Any]:
    """Whole picos are numbers, as every release reads them; a JSON number would not keep the parts of others."""
    rates = {name: picos if isinstance(picos, int) else picos_text(picos) for name, picos in _rates(tier.rates)}
    return {"above_input_tokens": tier.above_input_tokens, "rates": rates}


def _tier_from_row(tier: dict[str, Any]) -> Tier:
    """A meter that only another release knows is passed over."""
    rates = {field: exactly(tier["rates"][field]) for field in Rates.__struct_fields__ if field in tier["rates"]}
    return Tier(tier["above_input_tokens"], Rates(**rates))


def _rates(rates: Rates) -> Iterator[tuple[str, Picos]]:
    return ((field, getattr(rates, field)) for field in Rates.__struct_fields__)
