"""The operating system account that PostgreSQL runs as.

PostgreSQL refuses to run as root. Under any other account it runs as that account; under root it gets one of its
own, made on first use, which owns the data and nothing else.
"""

import os
import pwd
import shutil
import stat
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from omni_core.adapters.embedded.errors import AccountMissing, HomeUnusable
from omni_core.adapters.embedded.search import let_search

NAME = "omni-postgres"
_ATTEMPTS = 10
_PAUSE_SECONDS = 0.2


class RunAs(TypedDict, total=False):
    """The arguments of `subprocess.run` that change the account."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True, slots=True)
class Account:
    """Whom PostgreSQL runs as. `separate` says that it is not the account of this process."""

    uid: int
    gid: int
    separate: bool

    @property
    def run_as(self) -> RunAs:
        return RunAs(user=self.uid, group=self.gid, extra_groups=[]) if self.separate else RunAs()

    def own_folder(self, folder: Path) -> None:
        """Make `folder` the account's alone, or check that it is.

        Raises `HomeUnusable` if somebody else owns it: a folder under /tmp could have been put there by anyone.
        """
        try:
            folder.mkdir(mode=0o700)
        except FileExistsError:
            found = folder.lstat()
            if found.st_uid not in (self.uid, os.geteuid()) or not stat.S_ISDIR(found.st_mode):
                raise HomeUnusable(
                    f"{folder} belongs to another account (uid {found.st_uid}): run Omni as that one."
                ) from None
        if self.separate:
            os.chown(folder, self.uid, self.gid)
        folder.chmod(0o700)

    def reach(self, path: Path) -> None:
        """See to it that the account can walk down to `path`."""
        if self.separate:
            for folder in path.parents:
                let_search(folder, self.uid)


def server_account() -> Account:
    """Return the account to run PostgreSQL as; under root, make it if it is not there.

    Raises `AccountMissing` where that cannot be done.
    """
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid(), separate=False)
    entry = _find() or _make()
    return Account(entry.pw_uid, entry.pw_gid, separate=True)


def _find() -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(NAME)
    except KeyError:
        return None


def _make() -> pwd.struct_passwd:
    # Where administrators' programs are: a service or a cron job of root often has a PATH without them.
    places = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])
    command = [shutil.which("useradd", path=places) or "useradd", "--system", "--user-group", "--no-create-home"]
    command += ["--home-dir", "/nonexistent", "--shell", "/usr/sbin/nologin", NAME]
    advice = f"Run Omni under an account other than root, or make a system account named {NAME}"
    said = ""
    # Several processes may get here at once; useradd gives up at once when the password file is locked.
    for _ in range(_ATTEMPTS):
        try:
            said = subprocess.run(command, capture_output=True, text=True, check=False).stderr.strip()  # noqa: S603
        except OSError as error:
            raise AccountMissing(f"{advice}: useradd did not run ({error}).") from error
        if (entry := _find()) is not None:
            return entry
        time.sleep(_PAUSE_SECONDS)
    raise AccountMissing(f"{advice}: useradd said {said!r}.")
