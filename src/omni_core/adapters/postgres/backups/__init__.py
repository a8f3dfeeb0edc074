"""Backups of the whole database in a file, with PostgreSQL's own programs."""

from omni_core.adapters.postgres.backups.dump import dump
from omni_core.adapters.postgres.backups.errors import (
    BoundByRowSecurity,
    DatabaseInUse,
    DatabaseNotEmpty,
    DumpFailed,
    FileExists,
    NotABackup,
    ProgramMissing,
)
from omni_core.adapters.postgres.backups.facts import Facts, facts_of
from omni_core.adapters.postgres.backups.restore import check_replaceable, refill, schema_in

__all__ = [
    "BoundByRowSecurity",
    "DatabaseInUse",
    "DatabaseNotEmpty",
    "DumpFailed",
    "Facts",
    "FileExists",
    "NotABackup",
    "ProgramMissing",
    "check_replaceable",
    "dump",
    "facts_of",
    "refill",
    "schema_in",
]
