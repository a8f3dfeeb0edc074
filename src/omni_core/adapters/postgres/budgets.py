"""Budgets, and the leases on them, on PostgreSQL."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from itertools import accumulate
from typing import Any
from uuid import UUID

import asyncpg
import sqlalchemy as sa

from omni_core.adapters.postgres import rows
from omni_core.adapters.postgres.engine import fetch
from omni_core.adapters.postgres.tables.budgets import budget as budget_table
from omni_core.adapters.postgres.tables.budgets import budget_lease, budget_period
from omni_core.adapters.postgres.uow import connection_of
from omni_core.domain.budgets.errors import BudgetExists, UnknownBudget
from omni_core.domain.budgets.model import Budget, Maker, Pot, Spending, Window
from omni_core.domain.budgets.ports import Grant, Grants, Need, Renewal, Wish
from omni_core.domain.kernel.money import Money
from omni_core.domain.kernel.stored import rebuilds, stored
from omni_core.domain.kernel.tenancy import TenantId
from omni_core.domain.kernel.uow import Transaction

_ACQUIRE = "select * from omni_acquire_leases($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
_GIVE_BACK = "select omni_give_back_leases($1, $2, $3, $4, $5)"
_RENEW = "select alive, moment from omni_prolong_leases($1, $2, $3, $4, $5)"
_NOW = "select clock_timestamp()"


class PostgresBudgetStore:
    """The port `BudgetStore`."""

    async def add(self, tx: Transaction, budget: Budget) -> None:
        """Store a new budget."""
        row = {
            "tenant_id": budget.tenant_id,
            "id": budget.id,
            "key_id": budget.key_id,
            "window": budget.window.value,
            "limit_picos": budget.limit.picos,
            "currency": budget.limit.currency,
            "created_at": budget.created_at,
            "made_by": budget.made_by.value,
        }
        if not await rows.added(tx, budget_table, row, ["tenant_id", "key_id", "window"]):
            raise BudgetExists(window=budget.window.value)

    async def lock(self, tx: Transaction, budget_id: UUID) -> Budget:
        """Return a budget, locked."""
        unknown = UnknownBudget(budget_id=str(budget_id))
        return _from_row(await rows.one(tx, budget_table, unknown, budget_table.c.id == budget_id, lock=True))

    async def save(self, tx: Transaction, budget: Budget) -> None:
        """Store the limit, and who made it."""
        statement = sa.update(budget_table).where(
            budget_table.c.tenant_id == tx.tenant_id, budget_table.c.id == budget.id
        )
        limit = {"limit_picos": budget.limit.picos, "currency": budget.limit.currency}
        values = {**limit, "made_by": budget.made_by.value}
        await connection_of(tx).execute(statement.values(values))

    async def remove(self, tx: Transaction, budget_id: UUID) -> None:
        """Remove a budget; its periods and leases go with it."""
        await rows.removed(tx, budget_table, budget_table.c.id == budget_id)

    async def list(self, tx: Transaction) -> Sequence[Budget]:
        """Return the tenant's budgets, oldest first."""
        query = rows.of_tenant(tx, budget_table).order_by(budget_table.c.id)
        return [_from_row(row) for row in await rows.fetched(tx, query)]

    async def now(self, tx: Transaction) -> datetime:
        """Return the moment by the database's clock."""
        moment: datetime = (await connection_of(tx).execute(sa.select(sa.func.clock_timestamp()))).scalar_one()
        return moment

    async def spending(self, tx: Transaction, pots: Sequence[Pot], now: datetime) -> Sequence[Spending]:
        """Return what each pot has cost so far."""
        keys = [(pot.budget_id, pot.period_start) for pot in pots]
        spent = await _sums(tx, budget_period, budget_period.c.spent, keys)
        reserved = await _sums(tx, budget_lease, budget_lease.c.amount, keys, budget_lease.c.expires_at > now)
        return [Spending(spent.get(key, 0), reserved.get(key, 0)) for key in keys]


class PostgresLeases:
    """The port `Leases`, on functions of the database: one round trip, and one transaction, for each call."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def acquire(self, wishes: Sequence[Wish], needs: Sequence[Need], lasting_s: float) -> Grants:
        """Add to the leases what the pots can spare."""
        _, *keys = _columns([(wish.pot, wish.lease_id) for wish in wishes])
        # Money goes as text, which the driver writes many times faster than a numeric.
        frees, held = [str(wish.free_picos) for wish in wishes], [wish.is_held for wish in wishes]
        ends = list(accumulate(len(need.places) for need in needs))
        places = [place + 1 for need in needs for place in need.places]
        asked = ([str(need.picos) for need in needs], ends, places, lasting_s)
        found = await fetch(self._pool, _ACQUIRE, wishes[0].pot.tenant_id, *keys, frees, held, *asked)
        return Grants(found[0]["moment"], [_grant(row) for row in found])

    async def give_back(self, returns: Sequence[tuple[Pot, UUID, int]]) -> None:
        """Take amounts off leases; one that nothing is left of is gone."""
        keys = _columns([(pot, lease_id) for pot, lease_id, _ in returns])
        await fetch(self._pool, _GIVE_BACK, *keys, [Decimal(picos) for *_, picos in returns])

    async def renew(self, leases: Sequence[tuple[Pot, UUID]], lasting_s: float) -> Renewal:
        """Prolong leases that have not lapsed."""
        (renewed,) = await fetch(self._pool, _RENEW, *_columns(leases), lasting_s)
        return Renewal(renewed["moment"], renewed["alive"])

    async def now(self) -> datetime:
        """Return the moment by the database's clock."""
        moment: datetime = (await fetch(self._pool, _NOW))[0][0]
        return moment


def _grant(row: asyncpg.Record) -> Grant | None:
    if row["limit_now"] is None:
        return None
    granted, spent, limit, left, is_scarce, is_valid, _ = row
    return Grant(int(granted), int(spent), int(limit), int(left), is_scarce, is_valid)


def _columns(leases: Sequence[tuple[Pot, UUID]]) -> tuple[list[Any], ...]:
    return (
        [pot.tenant_id for pot, _ in leases],
        [pot.budget_id for pot, _ in leases],
        [pot.period_start for pot, _ in leases],
        [lease_id for _, lease_id in leases],
    )


async def _sums(
    tx: Transaction,
    table: sa.Table,
    amount: sa.ColumnElement[Decimal],
    keys: Sequence[tuple[UUID, datetime]],
    *conditions: sa.ColumnElement[bool],
) -> dict[tuple[UUID, datetime], int]:
    pot = (table.c.budget_id, table.c.period_start)
    query = (
        sa.select(*pot, sa.func.sum(amount))
        .where(table.c.tenant_id == tx.tenant_id, sa.tuple_(*pot).in_(keys), *conditions)
        .group_by(*pot)
    )
    sums = await connection_of(tx).execute(query)
    return {(budget_id, period_start): int(total) for budget_id, period_start, total in sums}


@rebuilds
def _from_row(row: rows.Row) -> Budget:
    return Budget(
        id=row["id"],
        tenant_id=TenantId(row["tenant_id"]),
        key_id=row["key_id"],
        window=stored(Window, row["window"]),
        limit=Money.from_picos(int(row["limit_picos"]), row["currency"]),
        created_at=row["created_at"],
        made_by=stored(Maker, row["made_by"]),
    )
