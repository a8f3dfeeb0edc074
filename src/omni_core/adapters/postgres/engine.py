"""Connections to PostgreSQL, always as the program's plain role."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit

import asyncpg
import msgspec
from sqlalchemy import ExceptionContext, event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from omni_core.adapters.postgres.connecting import DatabaseUnavailable, not_connected
from omni_core.domain.kernel.errors import InvalidValue, Precondition

APP_ROLE = "omni_app"
# A server that hangs refuses nothing, so whatever is asked of it has a limit. A statement's is wide, for a month of
# millions of calls is closed by a single one.
CONNECT_WITHIN_S = 10.0
ANSWER_WITHIN_S = 5.0
PING_WITHIN_S = 2.0
STATEMENT_WITHIN_S = 300.0
LOCK_WITHIN_S = 60.0
# What reads much adds up in memory: PostgreSQL's own 4 MB would have it sort a month's calls on disk.
REPORT_MEMORY = "64MB"
CLOSE_WITHIN_S = 5.0
CHAT_POOL = 4
# What the driver raises when the server or the connection fails. An InternalClientError is what comes of using one that
# the server has just ended.
DRIVER_FAILURES = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
_SCHEMES = ("postgresql", "postgres", "postgresql+asyncpg")
_ROLE_CHECK = """
select current_user, r.rolsuper or r.rolbypassrls as privileged,
       exists (select from pg_class c where c.relowner = r.oid and c.relname = 'tenant' and c.relkind = 'r') as owner
  from pg_roles r where r.rolname = current_user
"""


class RoleTooPowerful(Precondition):
    """The program's role could step around row-level security."""

    code = "postgres.role_too_powerful"


class Database(msgspec.Struct, frozen=True):
    """Two ways to the same database: `engine` for use cases, `pool` for the few statements of the hot path."""

    engine: AsyncEngine
    pool: asyncpg.Pool

    async def ping(self) -> None:
        """Ask for an answer; raise `DatabaseUnavailable`."""
        await fetch(self.pool, "select 1", within_s=PING_WITHIN_S)


async def fetch(
    pool: asyncpg.Pool, query: str, *values: Any, within_s: float = ANSWER_WITHIN_S
) -> list[asyncpg.Record]:
    """Run one statement and return its rows; raise `DatabaseUnavailable` where they do not come in time."""
    try:
        async with asyncio.timeout(within_s):
            connection = await pool.acquire()
            try:
                return await connection.fetch(query, *values)
            except BaseException as error:
                if not isinstance(error, asyncpg.PostgresError):
                    # In an unknown state; to release it as it is would wait for a server that does not answer.
                    connection.terminate()
                raise
            finally:
                with suppress(asyncpg.InterfaceError):  # one that broke has left the pool by itself
                    await pool.release(connection)
    except DRIVER_FAILURES as error:
        raise DatabaseUnavailable("PostgreSQL does not answer") from error


def driver_url(url: str) -> str:
    """Return a DATABASE_URL in the form that asyncpg takes; raise `InvalidValue` without repeating its password."""
    parts = urlsplit(url)
    if parts.scheme not in _SCHEMES:
        raise InvalidValue("DATABASE_URL must be a postgresql:// URL", field="DATABASE_URL", allowed="postgresql://…")
    return _joined(parts._replace(scheme="postgresql"))


def engine_url(url: str) -> str:
    """Return a DATABASE_URL in the form that SQLAlchemy takes."""
    parts = urlsplit(driver_url(url))
    # SQLAlchemy passes the query on as arguments, and asyncpg calls libpq's sslmode by the name ssl.
    query = [("ssl" if name == "sslmode" else name, value) for name, value in parse_qsl(parts.query)]
    return _joined(parts._replace(scheme="postgresql+asyncpg", query=urlencode(query)))


def _joined(parts: SplitResult) -> str:
    """Return the URL of its parts; where the host is an option, the two slashes stay that `urlunsplit` leaves out."""
    return f"{parts.scheme}://{parts.netloc}{parts.path}{'?' * bool(parts.query)}{parts.query}"


@asynccontextmanager
async def open_engine(
    url: str,
    *,
    pool_size: int,
    role: str = APP_ROLE,
    statement_within_s: float = STATEMENT_WITHIN_S,
    reads_only: bool = False,
) -> AsyncGenerator[AsyncEngine, None]:
    """Give an engine with connections of its own, made when they are first wanted, and close them at the end.

    The server ends a statement after `statement_within_s` seconds, and a transaction that waits too long for a lock or
    for its own program. Where the server does not, the program gives the connection up.
    """
    settings = {
        **_named(role),
        "statement_timeout": _ms(statement_within_s),
        "lock_timeout": _ms(LOCK_WITHIN_S),
        "idle_in_transaction_session_timeout": _ms(STATEMENT_WITHIN_S),
        **({"default_transaction_read_only": "on", "work_mem": REPORT_MEMORY} if reads_only else {}),
    }
    engine = create_async_engine(
        engine_url(url),
        pool_size=pool_size,
        max_overflow=0,
        pool_pre_ping=True,
        connect_args={
            "server_settings": settings,
            "timeout": CONNECT_WITHIN_S,
            "command_timeout": statement_within_s + ANSWER_WITHIN_S,
        },
    )
    event.listen(engine.sync_engine, "handle_error", _out_of_time)
    try:
        yield engine
    finally:
        await _closed_in_time(engine.dispose)


@asynccontextmanager
async def open_database(
    url: str,
    *,
    pool_size: int = 10,
    chat_pool: int = CHAT_POOL,
    role: str = APP_ROLE,
    statement_within_s: float = STATEMENT_WITHIN_S,
    setting: str = "DATABASE_URL",
) -> AsyncGenerator[Database, None]:
    """Connect, check that the role cannot evade row-level security, and disconnect at the end.

    The role is set when a connection starts, so a DATABASE_URL of the owner serves as well as one of the role itself.
    Raises `DatabaseUnavailable`, or `Refused`, which name the setting that the URL is from, or `RoleTooPowerful`.
    """
    async with open_engine(url, pool_size=pool_size, role=role, statement_within_s=statement_within_s) as engine:
        try:
            pool = await asyncpg.create_pool(
                driver_url(url), min_size=1, max_size=chat_pool, timeout=CONNECT_WITHIN_S, server_settings=_named(role)
            )
        except (OSError, TimeoutError, asyncpg.PostgresError) as error:
            raise not_connected(url, error, setting=setting) from error
        try:
            await _check_role(pool)
            yield Database(engine, pool)
        finally:
            await _closed_in_time(pool.close)


async def _closed_in_time(close: Callable[[], Awaitable[None]]) -> None:
    # It waits for the server's goodbye, which one that hangs does not say.
    with suppress(TimeoutError):
        async with asyncio.timeout(CLOSE_WITHIN_S):
            await close()


def _named(role: str) -> dict[str, str]:
    return {"role": role, "application_name": "omni"}


def _ms(seconds: float) -> str:
    return str(max(1, round(seconds * 1000)))


def _out_of_time(context: ExceptionContext) -> DatabaseUnavailable | None:
    """Translate a statement's time limit, which is no error of the driver's, and give its connection up."""
    if not isinstance(context.original_exception, TimeoutError):
        return None
    context.is_disconnect = True
    return DatabaseUnavailable("PostgreSQL does not answer")


async def _check_role(pool: asyncpg.Pool) -> None:
    row = next(iter(await fetch(pool, _ROLE_CHECK)), None)
    if row is None or row["privileged"] or row["owner"]:
        name = row["current_user"] if row else "unknown"
        raise RoleTooPowerful(
            f"the role {name} must be neither superuser, nor owner, nor exempt from row security", role=name
        )
