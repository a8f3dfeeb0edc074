"""Calls under keys of clients, on PostgreSQL. Every moment is by the database's clock."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import asyncpg
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from omni_core.adapters.postgres import rows
from omni_core.adapters.postgres.engine import fetch
from omni_core.adapters.postgres.tables.keyed_calls import keyed_call
from omni_core.adapters.postgres.uow import connection_of
from omni_core.domain.kernel.stored import rebuilds, stored
from omni_core.domain.kernel.tenancy import TenantId
from omni_core.domain.kernel.uow import Transaction
from omni_core.domain.llm.keyed import Attempt, CallState, KeyedCall

_COLUMNS = keyed_call.c
_PLACE = ["tenant_id", "caller", "key"]
_EXPIRED = "select one as tenant_id from omni_tenants_with_calls_expired($1) as one"


class PostgresKeyedCallStore:
    """The port `KeyedCallStore`."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def claim(self, tx: Transaction, attempt: Attempt, *, lease_s: float, keep_s: float) -> KeyedCall:
        """Let an attempt have the call, unless somebody else has or had it."""
        place = (_COLUMNS.caller == attempt.caller, _COLUMNS.key == attempt.key)
        while True:
            await connection_of(tx).execute(_claim(tx, attempt, lease_s, keep_s))
            # What the claim lost to is locked until this transaction ends, unless it has just been released.
            row = await rows.found(tx, keyed_call, *place)
            if row is not None:
                return _from_row(row)

    async def renew(self, tx: Transaction, attempt_ids: Sequence[UUID], *, lease_s: float) -> None:
        """Hold calls on."""
        for attempt_id in attempt_ids:
            await connection_of(tx).execute(_own(tx, attempt_id).values(held_until=_in(lease_s)))

    async def keep(self, tx: Transaction, attempt_id: UUID, sealed: bytes | None, *, keep_s: float) -> bool:
        """Store what came of a call."""
        kept = {"state": CallState.ANSWERED, "sealed": sealed, "held_until": sa.func.now(), "expires_at": _in(keep_s)}
        done = await connection_of(tx).execute(_own(tx, attempt_id).values(kept).returning(_COLUMNS.call_id))
        return done.first() is not None

    async def release(self, tx: Transaction, attempt_id: UUID) -> None:
        """Forget a call."""
        running = _COLUMNS.state == CallState.RUNNING
        await rows.removed(tx, keyed_call, _COLUMNS.attempt_id == attempt_id, running)

    async def expired(self, limit: int) -> Sequence[TenantId]:
        """Return tenants with calls to be erased."""
        return [TenantId(row["tenant_id"]) for row in await fetch(self._pool, _EXPIRED, limit)]

    async def prune(self, tx: Transaction, limit: int) -> int:
        """Erase calls whose time is over."""
        over = (
            _COLUMNS.tenant_id == tx.tenant_id,
            _COLUMNS.expires_at <= sa.func.now(),
            _COLUMNS.held_until <= sa.func.now(),
        )
        some = sa.select(_COLUMNS.attempt_id).where(*over).limit(limit)
        # Said again, because one of them may be taken over before it is erased.
        erasing = sa.delete(keyed_call).where(*over, _COLUMNS.attempt_id.in_(some))
        return (await connection_of(tx).execute(erasing)).rowcount


def _in(seconds: float) -> sa.ColumnElement[Any]:
    return sa.func.now() + sa.func.make_interval(0, 0, 0, 0, 0, 0, seconds)


def _own(tx: Transaction, attempt_id: UUID) -> sa.Update:
    return sa.update(keyed_call).where(
        _COLUMNS.tenant_id == tx.tenant_id, _COLUMNS.attempt_id == attempt_id, _COLUMNS.state == CallState.RUNNING
    )


def _claim(tx: Transaction, attempt: Attempt, lease_s: float, keep_s: float) -> sa.Executable:
    statement = insert(keyed_call).values(
        tenant_id=tx.tenant_id,
        caller=attempt.caller,
        key=attempt.key,
        call_id=attempt.id,
        attempt_id=attempt.id,
        fingerprint=attempt.fingerprint,
        state=CallState.RUNNING,
        held_until=_in(lease_s),
        expires_at=_in(keep_s),
        sealed=None,
    )
    new, now = statement.excluded, sa.func.now()
    is_over = _COLUMNS.expires_at <= now
    was_left = sa.and_(_COLUMNS.state == CallState.RUNNING, _COLUMNS.fingerprint == new.fingerprint)
    changed = {one.name: new[one.name] for one in keyed_call.columns if one.name not in (*_PLACE, "call_id")}
    return statement.on_conflict_do_update(
        index_elements=_PLACE,
        set_={**changed, "call_id": sa.case((is_over, new.call_id), else_=_COLUMNS.call_id)},
        where=sa.and_(_COLUMNS.held_until <= now, sa.or_(is_over, was_left)),
    )


@rebuilds
def _from_row(row: rows.Row) -> KeyedCall:
    return KeyedCall(
        row["call_id"], row["attempt_id"], row["fingerprint"], stored(CallState, row["state"]), row["sealed"]
    )
