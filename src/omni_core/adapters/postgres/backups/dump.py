"""The whole database into a file."""

import os
from collections.abc import Sequence
from pathlib import Path

from omni_core.adapters.postgres.backups.errors import BoundByRowSecurity, DumpFailed, FileExists
from omni_core.adapters.postgres.backups.facts import Facts, facts_of
from omni_core.adapters.postgres.backups.programs import connection, output_of, programs_for
from omni_core.adapters.postgres.connecting import place


async def dump(url: str, file: Path, *, setting: str, programs: Sequence[Path] = ()) -> Facts:
    """Back the database up as of one moment, while it is in use; return what it held when that began.

    The file is there when it is whole, and only for its owner to read. Raises `FileExists`, `BoundByRowSecurity`,
    `ProgramMissing`, `DumpFailed`, `DatabaseUnavailable` or `Refused`.
    """
    _check_new(file)
    facts = await facts_of(url, setting=setting)
    if not facts.sees_all:
        raise BoundByRowSecurity(
            f"the role of {setting} sees only a part of the rows at {place(url)}: give the URL of one with BYPASSRLS "
            "that may read everything, as docs/howto/operate.md says"
        )
    folder = await programs_for(facts.version, programs)
    plain, environment = connection(url)
    unfinished = file.with_name(f"{file.name}.unfinished-{os.getpid()}")
    try:
        os.close(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        words = ["--format=custom", "--no-password", f"--file={unfinished}", f"--dbname={plain}"]
        await output_of(folder / "pg_dump", *words, environment=environment)
        unfinished.rename(file)
    except OSError as error:
        raise DumpFailed(f"{file} cannot be written: {error.strerror}", file=str(file)) from error
    finally:
        unfinished.unlink(missing_ok=True)
    return facts


def _check_new(file: Path) -> None:
    if file.exists():
        raise FileExists(f"{file} is there already: name another, or move it away", file=str(file))
