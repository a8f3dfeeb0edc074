"""Where everything lives under the home folder.

    <home>/postgresql/
        lock              held while somebody decides to start or stop the server
        running           locked by every process of the server while it lives
        stopped           there since somebody stopped the server for good, until somebody attaches
        holders/          one locked file for each attached process
        postgresql.conf   written at each start
        pg_hba.conf       likewise
        data/             the cluster
        run/              the socket, if its path is short enough
        log/              a week of logs, and what the last start said

The last three belong to the account that PostgreSQL runs as.
"""

import hashlib
import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Self

PORT = 5432
"""Names the socket; no TCP port is opened."""

SOCKET = f".s.PGSQL.{PORT}"

# sockaddr_un.sun_path holds 108 bytes on Linux and 104 on macOS, the closing NUL among them. Characters outside this
# set have a meaning of their own in the host of a connection URL.
_SOCKET_PATH_BYTES = 103
_PLAIN_PATH = re.compile(r"[A-Za-z0-9_./~+@-]+")


@dataclass(frozen=True, slots=True)
class Layout:
    """The paths of one home."""

    root: Path

    @classmethod
    def of(cls, home: Path) -> Self:
        """Return the layout of `home`, by its real path: the same home is the same however it is spelt."""
        return cls(home.expanduser().resolve() / "postgresql")

    @property
    def lock(self) -> Path:
        return self.root / "lock"

    @property
    def running(self) -> Path:
        return self.root / "running"

    @property
    def stopped(self) -> Path:
        return self.root / "stopped"

    @property
    def holders(self) -> Path:
        return self.root / "holders"

    @property
    def config(self) -> Path:
        return self.root / "postgresql.conf"

    @property
    def hba(self) -> Path:
        return self.root / "pg_hba.conf"

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def own_config(self) -> Path:
        """What PostgreSQL reads where nobody tells it another file: when it is started by hand."""
        return self.data / "postgresql.conf"

    @property
    def unfinished(self) -> Path:
        """Where a cluster is made, before it is moved to `data` in one step."""
        return self.root / "data.unfinished"

    @property
    def log(self) -> Path:
        return self.root / "log"

    @property
    def start_log(self) -> Path:
        return self.log / "start.log"

    def socket_folder(self) -> Path:
        """Return the folder to start the server's socket in: under the home, or else in the temporary folder."""
        here = self.root / "run"
        longest = here / SOCKET
        if len(os.fsencode(longest)) <= _SOCKET_PATH_BYTES and _PLAIN_PATH.fullmatch(str(longest)):
            return here
        digest = hashlib.sha256(os.fsencode(self.root)).hexdigest()[:16]
        return Path(tempfile.gettempdir()).resolve() / f"omni-{digest}"

    def make(self) -> None:
        """Create the folders of the process itself. The account's own folders are made when the server starts."""
        self.holders.mkdir(mode=0o700, parents=True, exist_ok=True)

    def exists(self) -> bool:
        return self.lock.exists()
