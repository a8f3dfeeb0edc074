"""Who uses the server at the moment: a locked file for each holder, so that a dead one never counts.

Every function here expects the caller to have the home's exclusive lock.
"""

import fcntl
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from omni_core.adapters.embedded.locks import try_lock


@dataclass(frozen=True, slots=True)
class Hold:
    """One holder's claim on the server, worth as much as the lock on its file."""

    descriptor: int
    path: Path
    owner: int
    """The process that took the hold. A forked child inherits the object, but not the right to give it up."""

    def drop(self) -> None:
        self.path.unlink(missing_ok=True)
        os.close(self.descriptor)


def take(folder: Path) -> Hold:
    """Add this process to the holders in `folder`. It may hold more than once."""
    owner = os.getpid()
    descriptor, name = tempfile.mkstemp(prefix=f"{owner}-", dir=folder)
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return Hold(descriptor, Path(name), owner)


def live(folder: Path) -> int:
    """Count the holders that are alive, and clear away what the dead ones left."""
    alive = 0
    for path in folder.iterdir():
        descriptor = try_lock(path)
        if descriptor is None:
            alive += 1
        else:
            path.unlink()
            os.close(descriptor)
    return alive
