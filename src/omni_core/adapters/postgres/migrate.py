"""Brings a database's schema to this release's, as the owner; safe to run from several processes at once."""

from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import msgspec
import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from omni_core.adapters.postgres.engine import DatabaseUnavailable, engine_url

# Any number will do, as long as every release of Omni takes the same.
_LOCK = 0x6F6D6E69


class SchemaState(msgspec.Struct, frozen=True):
    """Which migration the database is at, None before the first, and which one this release wants."""

    current: str | None
    wanted: str

    @property
    def is_current(self) -> bool:
        """Whether this release can run on the database as it is."""
        return self.current == self.wanted


_MIGRATIONS = Path(__file__).with_name("migrations")


async def upgrade(owner_url: str, revision: str = "head") -> SchemaState:
    """Run every migration that is missing up to `revision`, in one transaction; return the state after it.

    Raises `DatabaseUnavailable`.
    """
    # Alembic takes a fifth of a second to import, and only who upgrades needs it.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    def run(connection: sa.Connection) -> None:
        config = Config()
        config.set_main_option("script_location", str(_MIGRATIONS))
        config.attributes["connection"] = connection
        command.upgrade(config, revision)

    async with _connected(owner_url) as connection, connection.begin():
        await connection.execute(sa.text("select pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        await connection.run_sync(run)
        return await _state(connection)


async def state(url: str) -> SchemaState:
    """Tell how far the database's schema is; raise `DatabaseUnavailable`."""
    async with _connected(url) as connection:
        return await _state(connection)


@asynccontextmanager
async def _connected(url: str) -> AsyncGenerator[AsyncConnection, None]:
    engine = create_async_engine(engine_url(url), poolclass=NullPool)
    try:
        connection = await engine.connect()
    except (OSError, SQLAlchemyError) as error:
        raise DatabaseUnavailable("cannot connect to PostgreSQL") from error
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
