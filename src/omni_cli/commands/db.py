"""`omni db`."""

import asyncio
from typing import TYPE_CHECKING

import msgspec

from omni_cli.options import Json, commands, examples
from omni_cli.output import Column, print_record
from omni_cli.session import load_settings

if TYPE_CHECKING:
    from omni_core.bootstrap.premises import DatabaseUrls
    from omni_core.bootstrap.settings import Settings

db = commands("The database's schema.")


class SchemaReport(msgspec.Struct, frozen=True):
    """Where the database is and how far its schema is; `current` is None where there is no schema yet."""

    database: str
    current: str | None
    wanted: str
    is_current: bool


_REPORT: list[Column[SchemaReport]] = [
    Column("database", lambda report: report.database),
    Column("schema", lambda report: report.current),
    Column("wanted", lambda report: report.wanted),
    Column("up to date", lambda report: report.is_current),
]


@db.command(
    "upgrade",
    epilog=examples("omni db upgrade", "OMNI_OWNER_DATABASE_URL=postgresql://owner@db/omni omni db upgrade"),
)
def upgrade(json: Json = False) -> None:
    """Bring the schema to this release's, as its tables' owner. Safe to run twice, and from several machines."""
    settings = load_settings()

    # As the owner throughout: on a new server the program's role has no password before the first upgrade.
    # Without a DATABASE_URL it is Omni's own server, whose owner needs no URL.
    owner_url = settings.database_url and (settings.owner_database_url or settings.database_url)
    as_owner = msgspec.structs.replace(settings, database_url=owner_url)

    async def bring() -> SchemaReport:
        from omni_core.bootstrap.lifespan import database_urls
        from omni_core.bootstrap.omni import Omni

        async with Omni.open(as_owner, upgrade=True), database_urls(as_owner) as urls:
            return await _report(settings, urls)

    print_record(asyncio.run(bring()), _REPORT, json=json)


@db.command("status", epilog=examples("omni db status", "omni db status --json"))
def status(json: Json = False) -> None:
    """Tell how far the schema is. Makes no database where there is none yet."""
    settings = load_settings()

    async def look() -> SchemaReport:
        from omni_core.adapters.embedded import status as embedded_status
        from omni_core.adapters.postgres.migrate import wanted
        from omni_core.bootstrap.lifespan import database_urls

        if settings.database_url is None and (await embedded_status(settings.home)).version is None:
            return SchemaReport(_place(settings), None, wanted(), is_current=False)
        async with database_urls(settings) as urls:
            return await _report(settings, urls)

    print_record(asyncio.run(look()), _REPORT, json=json)


async def _report(settings: "Settings", urls: "DatabaseUrls") -> SchemaReport:
    from omni_core.adapters.postgres import migrate

    state = await migrate.state(urls.owner, setting=urls.owner_setting)
    return SchemaReport(_place(settings), state.current, state.wanted, state.is_current)


def _place(settings: "Settings") -> str:
    return "DATABASE_URL" if settings.database_url is not None else f"embedded, in {settings.home}"
