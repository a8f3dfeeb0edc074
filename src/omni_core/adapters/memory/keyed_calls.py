"""Calls under keys of clients, in memory."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from omni_core.adapters.memory.database import MemoryDatabase, MemoryTransaction, memory_tx
from omni_core.domain.kernel.tenancy import TenantId
from omni_core.domain.kernel.uow import Transaction
from omni_core.domain.llm.keyed import Attempt, CallState, KeyedCall


class _Row(msgspec.Struct, frozen=True):
    tenant_id: TenantId
    caller: str
    key: str
    call: KeyedCall
    held_until: datetime
    expires_at: datetime

    @property
    def place(self) -> tuple[str, str]:
        """Its key in the table."""
        return self.caller, self.key

    def is_over(self, now: datetime) -> bool:
        """Whether its time is over and nobody makes the call any more."""
        return self.expires_at <= now and self.held_until <= now


class MemoryKeyedCallStore:
    """The port `KeyedCallStore`."""

    def __init__(self, database: MemoryDatabase) -> None:
        self._database = database

    async def claim(self, tx: Transaction, attempt: Attempt, *, lease_s: float, keep_s: float) -> KeyedCall:
        """Let an attempt have the call, unless somebody else has or had it."""
        now = self._database.clock.now()
        row: _Row | None = memory_tx(tx).get("keyed_call", (attempt.caller, attempt.key))
        call_id = attempt.id
        if row is not None and not row.is_over(now):
            same = row.call.state is CallState.RUNNING and row.call.fingerprint == attempt.fingerprint
            if row.held_until > now or not same:
                return row.call
            call_id = row.call.call_id
        call = KeyedCall(call_id, attempt.id, attempt.fingerprint, CallState.RUNNING, None)
        held_until, expires_at = now + timedelta(seconds=lease_s), now + timedelta(seconds=keep_s)
        made = _Row(tx.tenant_id, attempt.caller, attempt.key, call, held_until, expires_at)
        memory_tx(tx).put("keyed_call", made.place, made)
        return call

    async def renew(self, tx: Transaction, attempt_ids: Sequence[UUID], *, lease_s: float) -> None:
        """Hold calls on."""
        held_until = self._database.clock.now() + timedelta(seconds=lease_s)
        for attempt_id in attempt_ids:
            for row in _own(memory_tx(tx), attempt_id):
                memory_tx(tx).put("keyed_call", row.place, msgspec.structs.replace(row, held_until=held_until))

    async def keep(self, tx: Transaction, attempt_id: UUID, sealed: bytes | None, *, keep_s: float) -> bool:
        """Store what came of a call."""
        now = self._database.clock.now()
        for row in _own(memory_tx(tx), attempt_id):
            call = msgspec.structs.replace(row.call, state=CallState.ANSWERED, sealed=sealed)
            expires_at = now + timedelta(seconds=keep_s)
            kept = msgspec.structs.replace(row, call=call, held_until=now, expires_at=expires_at)
            memory_tx(tx).put("keyed_call", row.place, kept)
            return True
        return False

    async def release(self, tx: Transaction, attempt_id: UUID) -> None:
        """Forget a call."""
        for row in _own(memory_tx(tx), attempt_id):
            memory_tx(tx).delete("keyed_call", row.place)

    async def expired(self, limit: int) -> Sequence[TenantId]:
        """Return tenants with calls to be erased."""
        now = self._database.clock.now()
        over = self._database.committed("keyed_call", lambda row: row.is_over(now))
        return list({row.tenant_id for row in over})[:limit]

    async def prune(self, tx: Transaction, limit: int) -> int:
        """Erase calls whose time is over."""
        now = self._database.clock.now()
        over: list[_Row] = memory_tx(tx).find("keyed_call", lambda row: row.is_over(now))[:limit]
        for row in over:
            memory_tx(tx).delete("keyed_call", row.place)
        return len(over)


def _own(tx: MemoryTransaction, attempt_id: UUID) -> list[_Row]:
    return tx.find("keyed_call", lambda row: row.call.attempt_id == attempt_id and row.call.state is CallState.RUNNING)
