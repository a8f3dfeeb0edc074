"""Whether the database can be written, by writing: a disk that is full lets everything be read for a long time."""

import asyncpg
import structlog

from omni_core.adapters.postgres.connecting import DatabaseUnavailable
from omni_core.adapters.postgres.engine import PING_WITHIN_S, fetch
from omni_core.domain.kernel.clock import Clock
from omni_core.domain.kernel.errors import DependencyFailed
from omni_core.domain.kernel.fresh import Fresh

# How long an answer stands, so that whoever asks often costs little.
FRESH_S = 5.0

# A sort that spills some 300 kB to the disk of the data, and a commit that is flushed to the log: neither leaves
# anything behind. A standby and a database that was made read-only say so by themselves.
_WRITE = """
do $$ begin
    if current_setting('transaction_read_only') = 'on' then
        raise read_only_sql_transaction using message = 'transactions are read-only';
    end if;
    set local work_mem = '64kB';
    perform count(distinct repeat('x', 1000) || number) from generate_series(1, 300) number;
    perform pg_logical_emit_message(true, 'omni', 'written');
end $$
"""
_ENDED = (asyncpg.PostgresConnectionError, asyncpg.OperatorInterventionError)  # rather than refused to write
_log = structlog.get_logger("omni.postgresql")


class CannotWrite(DependencyFailed):
    """PostgreSQL answers and cannot write."""

    code = "postgres.cannot_write"
    retryable = True


class WriteProbe:
    """Writes to the database now and then, when somebody asks whether it can be done."""

    def __init__(self, pool: asyncpg.Pool, clock: Clock) -> None:
        self._pool = pool
        self._written = Fresh(self._write, clock, FRESH_S)

    async def check(self) -> None:
        """Return if it answers now and could be written within the last five seconds.

        Raises `DatabaseUnavailable` or `CannotWrite`. The cause is in the log, for it may tell of the server's folders.
        """
        try:
            await fetch(self._pool, "select 1", within_s=PING_WITHIN_S)
            await self._written.get()
        except DependencyFailed as error:
            _log.error("the database cannot be used", code=error.code, cause=_told(error.__cause__))
            raise

    async def _write(self) -> bool:
        try:
            await fetch(self._pool, _WRITE, within_s=PING_WITHIN_S)
        except DatabaseUnavailable as error:
            cause = error.__cause__
            if isinstance(cause, asyncpg.PostgresError) and not isinstance(cause, _ENDED):
                raise CannotWrite from cause
            raise
        return True


def _told(cause: BaseException | None) -> str:
    return f"{type(cause).__name__}: {cause}"
