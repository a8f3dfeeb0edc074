"""PostgreSQL from a wheel, for an installation without a database of its own. Linux and macOS."""

from omni_core.adapters.embedded.cluster import DATABASE, OWNER_ROLE
from omni_core.adapters.embedded.errors import (
    AccountMissing,
    DataOfAnotherVersion,
    EmbeddedNotInstalled,
    HomeUnusable,
    StartFailed,
    StopFailed,
    VersionUnsupported,
)
from omni_core.adapters.embedded.server import AttachedServer, EmbeddedPostgres, Status, status, stop
from omni_core.adapters.embedded.wheel import program_folder

__all__ = [
    "DATABASE",
    "OWNER_ROLE",
    "AccountMissing",
    "AttachedServer",
    "DataOfAnotherVersion",
    "EmbeddedNotInstalled",
    "EmbeddedPostgres",
    "HomeUnusable",
    "StartFailed",
    "Status",
    "StopFailed",
    "VersionUnsupported",
    "program_folder",
    "status",
    "stop",
]
