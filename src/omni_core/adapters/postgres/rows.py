"""How every store reads and writes rows: those of the transaction's tenant, and no others.

A store names its table and columns, and makes rows of things and things of rows; what is the same for all is here.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from omni_core.adapters.postgres.uow import connection_of
from omni_core.domain.kernel.errors import OmniError
from omni_core.domain.kernel.uow import Transaction

Row = Mapping[str, Any]
"""A row by the names of its columns."""
Condition = sa.ColumnElement[bool]


def of_tenant(tx: Transaction, table: sa.Table, *conditions: Condition) -> sa.Select[Any]:
    """Return a query for the rows of the transaction's tenant, in no order."""
    return sa.select(table).where(table.c.tenant_id == tx.tenant_id, *conditions)


async def fetched(tx: Transaction, query: sa.Select[Any]) -> Sequence[Row]:
    """Return every row that a query finds."""
    rows: Sequence[Row] = (await connection_of(tx).execute(query)).mappings().all()
    return rows


async def newest(
    tx: Transaction, table: sa.Table, limit: int, before: UUID | None, *conditions: Condition
) -> Sequence[Row]:
    """Return up to `limit` rows older than `before`, newest first: ids grow with time."""
    query = of_tenant(tx, table, *conditions).order_by(table.c.id.desc()).limit(limit)
    return await fetched(tx, query if before is None else query.where(table.c.id < before))


async def found(tx: Transaction, table: sa.Table, *conditions: Condition) -> Row | None:
    """Return the row that there is, if there is one."""
    return next(iter(await fetched(tx, of_tenant(tx, table, *conditions))), None)


async def one(tx: Transaction, table: sa.Table, unknown: OmniError, *conditions: Condition, lock: bool = False) -> Row:
    """Return the row that there is, or raise `unknown`. With `lock`, nobody else changes it meanwhile.

    The lock is `FOR NO KEY UPDATE`, which lets others go on adding rows that refer to this one.
    """
    query = of_tenant(tx, table, *conditions)
    for row in await fetched(tx, query.with_for_update(key_share=True) if lock else query):
        return row
    raise unknown


async def added(tx: Transaction, table: sa.Table, row: Row, unique: Sequence[str] | None = None) -> bool:
    """Add a row unless another has its place; tell whether it was added.

    Its place is what the columns `unique` hold; without them, whatever is unique in the table. A transaction that is
    about to commit a row in the same place is waited for.
    """
    statement = insert(table).values(row).on_conflict_do_nothing(index_elements=unique)
    return (await connection_of(tx).execute(statement.returning(table.c.tenant_id))).first() is not None


async def removed(tx: Transaction, table: sa.Table, *conditions: Condition) -> bool:
    """Remove rows of the transaction's tenant; tell whether there were any."""
    statement = sa.delete(table).where(table.c.tenant_id == tx.tenant_id, *conditions)
    return (await connection_of(tx).execute(statement.returning(table.c.tenant_id))).first() is not None
