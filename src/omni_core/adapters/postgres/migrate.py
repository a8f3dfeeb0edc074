"""Brings a database's schema to this release's, as the owner; safe to run from several processes at once."""

from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import asyncpg
import msgspec
import sqlalchemy as sa
from sqlalchemy.exc import ProgrammingError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from omni_core.adapters.postgres.connecting import Refused, not_connected, place
from omni_core.adapters.postgres.engine import CONNECT_WITHIN_S, engine_url
from omni_core.domain.kernel.errors import Precondition

# Any number will do, as long as every release of Omni takes the same.
_LOCK = 0x6F6D6E69


class SchemaAhead(Precondition):
    """The database's schema is of a newer release than this one."""

    code = "postgres.schema_ahead"


class SchemaState(msgspec.Struct, frozen=True):
    """Which migration the database is at, None before the first, and which one this release wants."""

    current: str | None
    wanted: str

    @property
    def is_current(self) -> bool:
        """Whether this release can run on the database as it is."""
        return self.current == self.wanted

    def check_not_ahead(self) -> None:
        """Raise `SchemaAhead` where a newer release has changed the schema."""
        if self.current is not None and self.current > self.wanted:
            raise SchemaAhead(
                f"the database's schema is {self.current}, of a newer release; this one ends at {self.wanted}. "
                f"Run a release that has {self.current}, or restore the backup from before it",
                current=self.current,
                wanted=self.wanted,
            )


_MIGRATIONS = Path(__file__).with_name("migrations")


async def upgrade(owner_url: str, revision: str = "head", *, setting: str = "DATABASE_URL") -> SchemaState:
    """Run every migration that is missing up to `revision`, in one transaction; return the state after it.

    Raises `SchemaAhead`, and `DatabaseUnavailable` or `Refused`, which name the setting that the URL is from.
    """
    # Alembic takes a fifth of a second to import, and only who upgrades needs it.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    def run(connection: sa.Connection) -> None:
        config = Config()
        config.set_main_option("script_location", str(_MIGRATIONS))
        config.attributes["connection"] = connection
        command.upgrade(config, revision)

    async with _connected(owner_url, setting) as connection, _rights(owner_url, setting), connection.begin():
        await connection.execute(sa.text("select pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        (await _state(connection)).check_not_ahead()
        await connection.run_sync(run)
        return await _state(connection)


async def state(url: str, *, setting: str = "DATABASE_URL") -> SchemaState:
    """Tell how far the database's schema is; raise `DatabaseUnavailable` or `Refused`."""
    async with _connected(url, setting) as connection:
        return await _state(connection)


@asynccontextmanager
async def _rights(url: str, setting: str) -> AsyncGenerator[None, None]:
    try:
        yield
    except ProgrammingError as error:
        cause = error.orig.__cause__ if error.orig is not None else None
        if not isinstance(cause, asyncpg.InsufficientPrivilegeError):
            raise
        raise Refused(
            f"the role of {setting} may not change the schema at {place(url)}: {cause}; it has to own the database's "
            "tables, and may have to make roles: see a PostgreSQL of your own, in docs/howto/operate.md"
        ) from error


@asynccontextmanager
async def _connected(url: str, setting: str) -> AsyncGenerator[AsyncConnection, None]:
    engine = create_async_engine(engine_url(url), poolclass=NullPool, connect_args={"timeout": CONNECT_WITHIN_S})
    try:
        connection = await engine.connect()
    except (OSError, TimeoutError, asyncpg.PostgresError, SQLAlchemyError) as error:
        raise not_connected(url, error, setting=setting) from error
    async with aclosing(connection):
        yield connection


def wanted() -> str:
    """Return the migration that this release wants: files are named for their revisions, which count up."""
    return max(path.stem for path in (_MIGRATIONS / "versions").glob("[0-9]*.py"))


async def _state(connection: AsyncConnection) -> SchemaState:
    current = None
    if (await connection.execute(sa.text("select to_regclass('alembic_version')"))).scalar_one() is not None:
        current = (await connection.execute(sa.text("select version_num from alembic_version"))).scalar_one_or_none()
    return SchemaState(current, wanted())
