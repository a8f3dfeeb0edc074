"""What everything is opened and wired on: the settings, the master key, and where the database is."""

import msgspec

from omni_core.adapters.crypto import MasterKey
from omni_core.bootstrap.settings import Settings


class DatabaseUrls(msgspec.Struct, frozen=True):
    """The same database for the program's plain role and for the owner of its tables. They may hold passwords."""

    program: str
    owner: str
    program_setting: str = "DATABASE_URL"
    owner_setting: str = "DATABASE_URL"
    """Where each is from, for errors that must not show the URL."""

    def __repr__(self) -> str:
        return "DatabaseUrls(…)"


class Premises(msgspec.Struct, frozen=True):
    """Without `urls` there is no database: everything stays in memory."""

    settings: Settings
    master_key: MasterKey
    urls: DatabaseUrls | None = None

    @property
    def storage(self) -> str:
        """`memory` or `postgres`."""
        return "memory" if self.urls is None else "postgres"
