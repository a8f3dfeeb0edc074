"""Which processes an `omni up` has in a home folder: each keeps a locked file there while it lives.

The kernel drops the lock with the process, however it ends, so a file that is locked names a process that lives, and
never another one that got its pid later.
"""

import os
import secrets
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from omni_core.adapters.embedded import HomeUnusable
from omni_core.adapters.embedded.locks import exclusive, try_lock

UP: Final = "up"
_PAUSE_S: Final = 0.05


class Process(msgspec.Struct, frozen=True):
    """A process: what it is, its pid, and the pid namespace (container) in which that pid means something."""

    role: str
    pid: int
    namespace: int


@contextmanager
def announced(home: Path, role: str) -> Iterator[None]:
    """Let `omni down` find this process while the block lasts; raise `HomeUnusable`."""
    folder = _folder(home)
    path = folder / f"{role}-{os.getpid()}-{secrets.token_hex(4)}.json"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with exclusive(folder / "lock"):
            descriptor = _lock(path)
            os.write(descriptor, msgspec.json.encode(Process(role, os.getpid(), _namespace())))
    except OSError as error:
        raise HomeUnusable(f"Omni cannot use {folder}: {error.strerror}") from error
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(descriptor)


def alive(home: Path) -> list[Process]:
    """Return the processes that live in this container, and clear away what dead ones left."""
    folder = _folder(home)
    if not folder.is_dir():
        return []
    found = []
    with exclusive(folder / "lock"):
        for path in sorted(folder.glob("*.json")):
            descriptor = try_lock(path)
            if descriptor is None:
                found.append(msgspec.json.decode(path.read_bytes(), type=Process))
            else:
                path.unlink()
                os.close(descriptor)
    here = _namespace()
    return [process for process in found if process.namespace == here]


def stop(home: Path, processes: Sequence[Process], *, within_s: float) -> None:
    """End processes that `alive` returned: by SIGTERM, or by SIGKILL where that takes longer than `within_s`."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        for process in _still(home, processes):
            os.kill(process.pid, number)
        until = time.monotonic() + within_s
        while _still(home, processes) and time.monotonic() < until:
            time.sleep(_PAUSE_S)


def _lock(path: Path) -> int:
    descriptor = try_lock(path)
    if descriptor is None:
        raise RuntimeError(f"{path} is locked although it is new")
    return descriptor


def _still(home: Path, processes: Sequence[Process]) -> list[Process]:
    now = alive(home)
    return [process for process in processes if process in now]


def _folder(home: Path) -> Path:
    return home / "processes"


def _namespace() -> int:
    try:
        return os.stat("/proc/self/ns/pid").st_ino  # noqa: PTH116 - a link that leads nowhere but has a number
    except OSError:
        return 0  # not Linux, where every process of the machine has one numbering
