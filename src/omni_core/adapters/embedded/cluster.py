"""The data folder: made once, whole or not at all."""

import os
import shutil
from pathlib import Path

from omni_core.adapters.embedded.errors import DataOfAnotherVersion
from omni_core.adapters.embedded.layout import Layout
from omni_core.adapters.embedded.programs import Programs

OWNER_ROLE = "omni_owner"
DATABASE = "omni"

# One order and one notion of letters on every machine, from PostgreSQL itself rather than from the C library, whose
# update would corrupt the indexes on text.
_BUILTIN_LOCALE = ("--locale-provider=builtin", "--builtin-locale=C.UTF-8")
_FIRST_WITH_BUILTIN_LOCALE = 17


def made_by(layout: Layout) -> int | None:
    """Return the major version of the data, or None if there is none yet."""
    try:
        return int((layout.data / "PG_VERSION").read_text())
    except FileNotFoundError:
        return None


def check(layout: Layout, version: int) -> None:
    """Raise `DataOfAnotherVersion` if there is data that PostgreSQL `version` cannot read."""
    found = made_by(layout)
    if found not in {None, version}:
        raise DataOfAnotherVersion(
            f"{layout.data} was made by PostgreSQL {found} and cannot be read by {version}. Dump it with the pg_dump "
            f"of {found}, move the folder away, start again and restore the dump.",
            found=found,
            wanted=version,
        )


def make(layout: Layout, programs: Programs, version: int) -> None:
    """Make the cluster: the superuser `OWNER_ROLE` and the empty database `DATABASE`.

    Raises `StartFailed` if PostgreSQL cannot.
    """
    # An attempt that was killed half-way leaves this behind, and never something that looks like data.
    shutil.rmtree(layout.unfinished, ignore_errors=True)
    programs.account.own_folder(layout.unfinished)
    locale = _BUILTIN_LOCALE if version >= _FIRST_WITH_BUILTIN_LOCALE else ()
    programs.run(
        "initdb",
        *("--pgdata", layout.unfinished, "--username", OWNER_ROLE, "--auth=trust"),
        *("--encoding=UTF8", "--locale=C", *locale, "--data-checksums", "--no-sync", "--no-instructions"),
    )
    create = f'CREATE DATABASE "{DATABASE}";\n'
    programs.run("postgres", "--single", "-F", "-D", layout.unfinished, "postgres", says=create)
    programs.run("initdb", "--sync-only", "--pgdata", layout.unfinished)
    layout.unfinished.rename(layout.data)
    _sync(layout.root)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
