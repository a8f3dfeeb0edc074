"""The catalogue on PostgreSQL."""

from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from omni_core.adapters.postgres import rows
from omni_core.adapters.postgres.tables.llm import model as model_table
from omni_core.adapters.postgres.tables.llm import provider as provider_table
from omni_core.adapters.postgres.uow import connection_of
from omni_core.domain.kernel.stored import rebuilds
from omni_core.domain.kernel.uow import Transaction
from omni_core.domain.llm.catalogue import Model, Provider
from omni_core.domain.llm.errors import ModelExists, ProviderExists, UnknownModel, UnknownProvider
from omni_core.domain.llm.limits import BUILT_IN_LIMITS, NAMES, OwnLimits, own_limits


class PostgresCatalogueStore:
    """The port `CatalogueStore`."""

    async def add_provider(self, tx: Transaction, provider: Provider) -> None:
        """Store a new provider."""
        row = {
            "tenant_id": tx.tenant_id,
            "name": provider.name,
            "kind": provider.kind,
            "base_url": provider.base_url,
            "sealed_key": provider.sealed_key,
            **_limits(provider.limits),
            "created_at": provider.created_at,
            "passes": list(provider.passes),
        }
        if not await rows.added(tx, provider_table, row):
            raise ProviderExists(f"there is a provider {provider.name!r} already", field="name")

    async def lock_provider(self, tx: Transaction, name: str) -> Provider:
        """Return a provider, locked."""
        unknown = UnknownProvider(f"there is no provider {name!r}", provider=name)
        return _provider_from_row(await rows.one(tx, provider_table, unknown, provider_table.c.name == name, lock=True))

    async def save_limits(self, tx: Transaction, provider: Provider) -> None:
        """Store the limits."""
        of_it = (provider_table.c.tenant_id == tx.tenant_id, provider_table.c.name == provider.name)
        await connection_of(tx).execute(sa.update(provider_table).where(*of_it).values(_limits(provider.limits)))

    async def remove_provider(self, tx: Transaction, name: str) -> None:
        """Remove a provider."""
        if not await rows.removed(tx, provider_table, provider_table.c.name == name):
            raise UnknownProvider(f"there is no provider {name!r}", provider=name)

    async def providers(self, tx: Transaction) -> Sequence[Provider]:
        """Return all providers, by name."""
        return [_provider_from_row(row) for row in await _by_name(tx, provider_table)]

    async def add_model(self, tx: Transaction, model: Model) -> None:
        """Store a new model."""
        if not await rows.added(tx, model_table, {"tenant_id": tx.tenant_id, **msgspec.structs.asdict(model)}):
            raise ModelExists(f"there is a model {model.name!r} already", field="name")

    async def remove_model(self, tx: Transaction, name: str) -> None:
        """Remove a model."""
        if not await rows.removed(tx, model_table, model_table.c.name == name):
            raise UnknownModel(f"there is no model {name!r}", field="model")

    async def models(self, tx: Transaction) -> Sequence[Model]:
        """Return all models, by name."""
        return [_model_from_row(row) for row in await _by_name(tx, model_table)]


async def _by_name(tx: Transaction, table: sa.Table) -> Sequence[rows.Row]:
    return await rows.fetched(tx, rows.of_tenant(tx, table).order_by(table.c.name.collate("C")))


def _limits(own: OwnLimits) -> dict[str, Any]:
    """Return the columns that hold a provider's limits; an earlier release reads two of them, as numbers."""
    earlier = own.over(BUILT_IN_LIMITS)
    return {
        "limits": own_limits(own),
        "connect_timeout_s": earlier.connect_timeout_s,
        "read_timeout_s": earlier.read_timeout_s,
    }


def _own_limits(row: rows.Row) -> OwnLimits:
    if row["limits"] is None:
        return OwnLimits(connect_timeout_s=row["connect_timeout_s"], read_timeout_s=row["read_timeout_s"])
    return OwnLimits(**{name: row["limits"].get(name) for name in NAMES})


@rebuilds
def _provider_from_row(row: rows.Row) -> Provider:
    return Provider(
        name=row["name"],
        kind=row["kind"],
        base_url=row["base_url"],
        sealed_key=row["sealed_key"],
        limits=_own_limits(row),
        created_at=row["created_at"],
        passes=tuple(row["passes"]),
    )


@rebuilds
def _model_from_row(row: rows.Row) -> Model:
    return Model(
        name=row["name"],
        provider=row["provider"],
        upstream_model=row["upstream_model"],
        context_length=row["context_length"],
        max_output_tokens=row["max_output_tokens"],
        created_at=row["created_at"],
        is_context_declared=row["is_context_declared"],
        is_output_declared=row["is_output_declared"],
    )
