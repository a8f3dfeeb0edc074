"""Transactions on PostgreSQL, each bound to one tenant by row-level security."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager

import msgspec
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from omni_core.adapters.postgres.connecting import DatabaseUnavailable, TakesTooLong
from omni_core.adapters.postgres.engine import DRIVER_FAILURES
from omni_core.domain.kernel.clock import Clock
from omni_core.domain.kernel.errors import InvalidValue
from omni_core.domain.kernel.events import Event
from omni_core.domain.kernel.ids import Ids
from omni_core.domain.kernel.tenancy import TenantId
from omni_core.domain.kernel.uow import Transaction

# A transaction that cannot be begun in this time is none: the server hangs, or every connection is taken.
BEGUN_WITHIN_S = 10.0

# SQLSTATEs: a value that was refused for what it is, by PostgreSQL or already by the driver; and the ends that
# `statement_timeout` and `lock_timeout` put to a statement.
_ABOUT_A_VALUE = "22"
_TIMED_OUT = ("57014", "55P03")

# SET LOCAL, never SET: behind a pooler a session's setting would be the next tenant's.
_SET_TENANT = sa.text("select set_config('omni.tenant', :tenant, true)")

_LOCK_LOG = sa.text("select pg_advisory_xact_lock(hashtextextended('omni.event/' || :tenant, 0))")

# One statement however many there are: a trigger notes the new end of the log once for each. The rows are numbered in
# the order of the arrays.
_WRITE_EVENTS = sa.text("""
insert into event (tenant_id, id, event_type, aggregate_id, recorded_at, data)
select cast(:tenant_id as uuid), id, event_type, aggregate_id, recorded_at, data::jsonb
  from unnest(cast(:ids as uuid[]), cast(:event_types as text[]), cast(:aggregate_ids as uuid[]),
              cast(:moments as timestamptz[]), cast(:data as text[]))
       with ordinality as one(id, event_type, aggregate_id, recorded_at, data, place)
 order by place
""")


class PostgresUnitOfWork:
    """The port `UnitOfWork`."""

    def __init__(self, engine: AsyncEngine, clock: Clock, ids: Ids) -> None:
        self._engine = engine
        self._clock = clock
        self._ids = ids

    @asynccontextmanager
    async def __call__(self, tenant_id: TenantId) -> "AsyncGenerator[PostgresTransaction, None]":
        """Begin a transaction of one tenant.

        Raises `DatabaseUnavailable` where the connection fails, `TakesTooLong` where the server ends a statement for
        that, and `InvalidValue` for what no column can hold, which nobody has refused before.
        """
        async with aclosing(await self._connect()) as connection:
            try:
                async with connection.begin():
                    await self._set_tenant(connection, tenant_id)
                    transaction = PostgresTransaction(connection, tenant_id, self._clock, self._ids)
                    yield transaction
                    await transaction.write_events()
            except DBAPIError as error:
                sqlstate: str = getattr(error.orig, "sqlstate", None) or ""
                if sqlstate in _TIMED_OUT:
                    raise TakesTooLong from error
                if sqlstate.startswith(_ABOUT_A_VALUE):
                    raise InvalidValue(
                        "a value cannot be stored", field="", allowed="Unicode text without NUL, numbers in range"
                    ) from error
                if error.connection_invalidated or isinstance(error, (OperationalError, InterfaceError)):
                    raise DatabaseUnavailable("the connection to PostgreSQL broke") from error
                raise

    async def _connect(self) -> AsyncConnection:
        try:
            async with asyncio.timeout(BEGUN_WITHIN_S):
                return await self._engine.connect()
        except (*DRIVER_FAILURES, SQLAlchemyError) as error:
            # Also where the pool has none to spare for too long.
            raise DatabaseUnavailable("PostgreSQL does not answer") from error

    async def _set_tenant(self, connection: AsyncConnection, tenant_id: TenantId) -> None:
        try:
            async with asyncio.timeout(BEGUN_WITHIN_S):
                await connection.execute(_SET_TENANT, {"tenant": str(tenant_id)})
        except TimeoutError as error:
            raise DatabaseUnavailable("PostgreSQL does not answer") from error


class PostgresTransaction:
    """An open transaction; `connection` is for the stores of this folder."""

    def __init__(self, connection: AsyncConnection, tenant_id: TenantId, clock: Clock, ids: Ids) -> None:
        self.connection = connection
        self._tenant_id = tenant_id
        self._clock = clock
        self._ids = ids
        self._events: list[tuple[object, ...]] = []

    @property
    def tenant_id(self) -> TenantId:
        """The tenant whose rows this transaction sees."""
        return self._tenant_id

    async def record(self, *events: Event) -> None:
        """Append events to the tenant's log."""
        self._events.extend(self._row(one) for one in events)

    async def write_events(self) -> None:
        """Write what was recorded, as the last thing before the commit.

        The lock makes the order of `seq` the order of the commits within a tenant: a reader who has seen an event will
        never find one before it. Taken last, it is never held while waiting for a row.
        """
        if self._events:
            await self.connection.execute(_LOCK_LOG, {"tenant": str(self._tenant_id)})
            columns = ("ids", "event_types", "aggregate_ids", "moments", "data")
            values = dict(zip(columns, map(list, zip(*self._events, strict=True)), strict=True))
            await self.connection.execute(_WRITE_EVENTS, {"tenant_id": self._tenant_id, **values})

    def _row(self, one: Event) -> tuple[object, ...]:
        data = json.dumps(msgspec.to_builtins(one))
        return (self._ids.new(), one.event_type, one.aggregate_id, self._clock.now(), data)


def connection_of(tx: Transaction) -> AsyncConnection:
    """Return the connection of `tx`: adapters of one technology only work with one another."""
    if not isinstance(tx, PostgresTransaction):
        raise TypeError("a PostgreSQL adapter was handed a transaction of another technology")
    return tx.connection
