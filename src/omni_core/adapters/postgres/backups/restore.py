"""A backup into a database, all or nothing, in one transaction.

pg_restore writes the backup as SQL, and psql runs that. What differs between the two servers is mended on the way: who
owns things there may not exist here, and what runs as `omni_directory` has to be that role's again.
"""

import asyncio
import re
from asyncio.subprocess import Process
from collections.abc import Sequence
from pathlib import Path
from typing import cast

from omni_core.adapters.postgres.backups.errors import (
    DatabaseInUse,
    DatabaseNotEmpty,
    DumpFailed,
    NotABackup,
)
from omni_core.adapters.postgres.backups.facts import Facts
from omni_core.adapters.postgres.backups.programs import WITHIN_S, check, connection, output_of, programs_for, running

_BEGIN = b"""
begin;
drop schema public cascade;
create schema public;
grant usage on schema public to public, omni_app, omni_directory, omni_worker;
grant create on schema public to omni_directory;
"""
_COMMIT = b"""
revoke create on schema public from omni_directory;
commit;
"""
_KEPT_OWNER = b"omni_directory"
_CHUNK = 1 << 16
_OWNER = re.compile(rb"ALTER [A-Z ]+ .* OWNER TO ([^;]+);$")
_COPY = re.compile(rb"COPY .* FROM stdin;$")
_COPIED = b"\\."
# Of the schema itself, which is made above.
_SCHEMA = re.compile(rb"(CREATE SCHEMA public|COMMENT ON SCHEMA public|(GRANT|REVOKE) .* ON SCHEMA public )")


async def schema_in(file: Path, programs: Sequence[Path] = ()) -> str:
    """Return the migration that a backup is at; raise `NotABackup` or `ProgramMissing`."""
    words = ["--data-only", "--table=alembic_version", "--file=-", str(file)]
    try:
        written = await output_of(await programs_for(0, programs) / "pg_restore", *words, environment={})
    except DumpFailed as error:
        raise NotABackup(f"{file} is no backup: {error.detail}", file=str(file)) from error
    found = re.search(rb"^COPY public\.alembic_version .*\n(\S+)\n", written, re.MULTILINE)
    if found is None:
        raise NotABackup(f"{file} holds no database of Omni's", file=str(file))
    return found[1].decode()


def check_replaceable(facts: Facts, *, replace: bool) -> None:
    """Raise `DatabaseNotEmpty` where there are tenants and `replace` is not meant, or `DatabaseInUse`."""
    if facts.tenants and not replace:
        raise DatabaseNotEmpty(
            f"the database holds {facts.tenants} tenants, which a restore would replace", tenants=facts.tenants
        )
    if facts.others:
        raise DatabaseInUse(f"{facts.others} others are connected: stop servers and workers first", others=facts.others)


async def refill(url: str, file: Path, version: int, programs: Sequence[Path] = ()) -> None:
    """Put a backup in place of what the database holds, on a server of this major version that has Omni's roles.

    Raises `ProgramMissing` or `DumpFailed`; nothing has changed then.
    """
    folder = await programs_for(version, programs)
    try:
        async with asyncio.timeout(WITHIN_S):
            await _refill(url, file, folder)
    except TimeoutError as error:
        raise DumpFailed(f"it took longer than {WITHIN_S / 3600:g} hours") from error


async def _refill(url: str, file: Path, folder: Path) -> None:
    plain, environment = connection(url)
    psql = ("--no-psqlrc", "--quiet", "--no-password", "--set=ON_ERROR_STOP=1", f"--dbname={plain}")
    async with (
        running(folder / "pg_restore", "--file=-", str(file), environment={}) as reading,
        running(folder / "psql", *psql, environment=environment, talks=True) as writing,
    ):
        _, complaint, read_complaint, _ = await asyncio.gather(
            _pass_on(reading, writing), _all_of(writing.stderr), _all_of(reading.stderr), _all_of(writing.stdout)
        )
        await asyncio.gather(reading.wait(), writing.wait())
        check("psql", writing, complaint)
        check("pg_restore", reading, read_complaint)


async def _pass_on(reading: Process, writing: Process) -> None:
    """Hand the SQL over, and commit only what was read to its end."""
    source, sink = cast(asyncio.StreamReader, reading.stdout), cast(asyncio.StreamWriter, writing.stdin)
    mending = _Mending()
    try:
        sink.write(_BEGIN)
        while chunk := await source.read(_CHUNK):
            sink.write(mending.feed(chunk))
            await sink.drain()
        if await reading.wait() == 0:
            sink.write(_COMMIT)
            await sink.drain()
    except (BrokenPipeError, ConnectionResetError):
        reading.kill()  # psql has ended, and says why
    finally:
        sink.close()


class _Mending:
    """Takes out what only the server that was backed up could do. Rows are never looked at."""

    def __init__(self) -> None:
        self._rest = b""
        self._copies = False

    def feed(self, chunk: bytes) -> bytes:
        """Return what to pass on of the lines that are whole by now."""
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        return b"".join(line + b"\n" for line in lines if self._stays(line))

    def _stays(self, line: bytes) -> bool:
        if self._copies:
            self._copies = line != _COPIED
            return True
        self._copies = _COPY.match(line) is not None
        owner = _OWNER.match(line)
        return not _SCHEMA.match(line) if owner is None else owner[1] == _KEPT_OWNER


async def _all_of(source: asyncio.StreamReader | None) -> bytes:
    return b"" if source is None else await source.read()
