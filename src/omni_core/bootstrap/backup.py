"""The whole database into a file and back, by the settings in force."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from omni_core.adapters import embedded
from omni_core.adapters.postgres import backups, migrate
from omni_core.bootstrap.lifespan import database_urls
from omni_core.bootstrap.settings import Settings

_EMBEDDED_VERSION = 18


class Backup(msgspec.Struct, frozen=True):
    """A file, and what the database in it holds: its migration, how many tenants and calls, None if not countable."""

    file: str
    bytes: int
    schema: str | None
    tenants: int
    calls: int | None


async def back_up(settings: Settings, file: Path) -> Backup:
    """Write the database into a new file, as of one moment, while it may be in use.

    The secret key is not in it. Raises `FileExists`, `BoundByRowSecurity`, `ProgramMissing`, `DumpFailed`,
    `DatabaseUnavailable` or `Refused`.
    """
    async with database_urls(settings) as urls:
        facts = await backups.dump(urls.owner, file, setting=urls.owner_setting, programs=_programs())
    return _of(file, facts)


async def restore(settings: Settings, file: Path, *, replace: bool = False) -> Backup:
    """Put a backup in place of what the database holds, and bring it to this release's schema; return what it holds.

    A database with tenants in it is only replaced where `replace` says so. Raises `NotABackup`, `SchemaAhead`,
    `DatabaseNotEmpty`, `DatabaseInUse`, `ProgramMissing`, `DumpFailed`, `DatabaseUnavailable` or `Refused`; what the
    database held is there still then.
    """
    programs = _programs()
    schema = await backups.schema_in(file, programs)
    migrate.SchemaState(schema, migrate.wanted()).check_not_ahead()
    async with database_urls(settings) as urls:
        facts = await backups.facts_of(urls.owner, setting=urls.owner_setting)
        backups.check_replaceable(facts, replace=replace)
        if facts.schema is None:
            # It makes the roles, which belong to the server and so are in no backup of a database.
            await migrate.upgrade(urls.owner, setting=urls.owner_setting)
        await backups.refill(urls.owner, file, facts.version, programs)
        await migrate.upgrade(urls.owner, setting=urls.owner_setting)
        return _of(file, await backups.facts_of(urls.owner, setting=urls.owner_setting))


def _of(file: Path, facts: backups.Facts) -> Backup:
    return Backup(str(file), file.stat().st_size, facts.schema, facts.tenants, facts.calls)


def _programs() -> Sequence[Path]:
    try:
        return [embedded.program_folder(_EMBEDDED_VERSION)]
    except embedded.EmbeddedNotInstalled:
        return []  # those on PATH have to do
