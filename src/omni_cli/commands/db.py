"""`omni db`."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from omni_cli.options import Json, commands, examples
from omni_cli.output import Column, note, print_json, print_record, print_text
from omni_cli.session import load_settings

if TYPE_CHECKING:
    from omni_core.bootstrap.backup import Backup
    from omni_core.bootstrap.premises import DatabaseUrls
    from omni_core.bootstrap.settings import Settings

db = commands("The database: its schema, backups.")
_File = Annotated[Path, typer.Argument(metavar="FILE", help="The backup, in the format of pg_dump --format=custom.")]


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


@db.command("backup", epilog=examples("omni db backup omni.dump", "omni db backup omni.dump --json"))
def backup(file: _File, json: Json = False) -> None:
    """Write the whole database into a new file.

    It may be in use meanwhile. The secret key is not in it. With a PostgreSQL of your own it needs a role that
    row-level security does not bind.
    """
    from omni_core.bootstrap.backup import back_up

    made = asyncio.run(back_up(load_settings(), file))
    _tell(made, "backed up", "into", json=json)
    note("The secret key is not in it: keep OMNI_HOME/secret.key or OMNI_SECRET_KEY too, elsewhere.")


@db.command("restore", epilog=examples("omni db restore omni.dump", "omni db restore omni.dump --replace"))
def restore(
    file: _File,
    replace: Annotated[bool, typer.Option("--replace", help="Although the database holds tenants.")] = False,
    json: Json = False,
) -> None:
    """Put a backup in place of the database, all or nothing.

    It is brought to this release's schema. Stop servers and workers first. A database that holds tenants is left alone
    unless you say --replace.
    """
    from omni_core.bootstrap import backup as backups

    _tell(asyncio.run(backups.restore(load_settings(), file, replace=replace)), "restored", "from", json=json)


def _tell(made: "Backup", done: str, way: str, *, json: bool) -> None:
    if json:
        print_json(made)
        return
    calls = "" if made.calls is None else f" and {made.calls:,} calls"
    print_text(f"{done} {made.tenants:,} tenants{calls} at {made.schema} {way} {made.file} ({made.bytes:,} bytes)")


async def _report(settings: "Settings", urls: "DatabaseUrls") -> SchemaReport:
    from omni_core.adapters.postgres import migrate

    state = await migrate.state(urls.owner, setting=urls.owner_setting)
    return SchemaReport(_place(settings), state.current, state.wanted, state.is_current)


def _place(settings: "Settings") -> str:
    return "DATABASE_URL" if settings.database_url is not None else f"embedded, in {settings.home}"
