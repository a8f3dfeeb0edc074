"""Connections to PostgreSQL, always as the program's plain role."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import asyncpg
import msgspec
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from omni_core.domain.kernel.errors import DependencyFailed, InvalidValue, Precondition

APP_ROLE = "omni_app"
# What the driver raises when the server or the connection fails. An InternalClientError is what comes of using one that
# the server has just ended.
DRIVER_FAILURES = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
_SCHEMES = ("postgresql", "postgres", "postgresql+asyncpg")
_ROLE_CHECK = """
select current_user, r.rolsuper or r.rolbypassrls as privileged,
       exists (select from pg_class c where c.relowner = r.oid and c.relname = 'tenant' and c.relkind = 'r') as owner
  from pg_roles r where r.rolname = current_user
"""


class DatabaseUnavailable(DependencyFailed):
    """PostgreSQL cannot be reached."""

    code = "postgres.unavailable"
    retryable = True


class RoleTooPowerful(Precondition):
    """The program's role could step around row-level security."""

    code = "postgres.role_too_powerful"


class Database(msgspec.Struct, frozen=True):
    """Two ways to the same database: `engine` for use cases, `pool` for the few statements of the hot path."""

    engine: AsyncEngine
    pool: asyncpg.Pool

    async def ping(self) -> None:
        """Ask for an answer; raise `DatabaseUnavailable`."""
        try:
            await self.pool.fetchval("select 1", timeout=2.0)
        except DRIVER_FAILURES as error:
            raise DatabaseUnavailable("PostgreSQL does not answer") from error


def driver_url(url: str) -> str:
    """Return a DATABASE_URL in the form that asyncpg takes; raise `InvalidValue` without repeating its password."""
    parts = urlsplit(url)
    if parts.scheme not in _SCHEMES:
        raise InvalidValue("DATABASE_URL must be a postgresql:// URL", field="DATABASE_URL", allowed="postgresql://…")
    return urlunsplit(parts._replace(scheme="postgresql"))


def engine_url(url: str) -> str:
    """Return a DATABASE_URL in the form that SQLAlchemy takes."""
    parts = urlsplit(driver_url(url))
    # SQLAlchemy passes the query on as arguments, and asyncpg calls libpq's sslmode by the name ssl.
    query = [("ssl" if name == "sslmode" else name, value) for name, value in parse_qsl(parts.query)]
    return urlunsplit(parts._replace(scheme="postgresql+asyncpg", query=urlencode(query)))


@asynccontextmanager
async def open_database(url: str, *, pool_size: int = 10, role: str = APP_ROLE) -> AsyncGenerator[Database, None]:
    """Connect, check that the role cannot evade row-level security, and disconnect at the end.

    The role is set when a connection starts, so a DATABASE_URL of the owner serves as well as one of the role itself.
    Raises `DatabaseUnavailable`, or `RoleTooPowerful`.
    """
    settings = {"role": role, "application_name": "omni"}
    engine = create_async_engine(
        engine_url(url),
        pool_size=pool_size,
        max_overflow=0,
        pool_pre_ping=True,
        connect_args={"server_settings": settings},
    )
    try:
        pool = await asyncpg.create_pool(driver_url(url), min_size=1, max_size=4, server_settings=settings)
    except (OSError, TimeoutError, asyncpg.PostgresError) as error:
        await engine.dispose()
        raise DatabaseUnavailable(f"cannot connect to PostgreSQL: {type(error).__name__}") from error
    try:
        await _check_role(pool)
        yield Database(engine, pool)
    finally:
        await engine.dispose()
        await pool.close()


async def _check_role(pool: asyncpg.Pool) -> None:
    row = await pool.fetchrow(_ROLE_CHECK)
    if row is None or row["privileged"] or row["owner"]:
        name = row["current_user"] if row else "unknown"
        raise RoleTooPowerful(
            f"the role {name} must be neither superuser, nor owner, nor exempt from row security", role=name
        )
