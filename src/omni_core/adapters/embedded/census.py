"""Which of this machine's processes belong to a data folder: PostgreSQL's all work in it.

Only Linux tells. Elsewhere a process counts as one of the server's while its pid is anybody's, and none is found.
"""

import os
import signal
from contextlib import suppress
from pathlib import Path

_PROC = Path("/proc")
_ENDED = ("Z", "X")


def lives(data: Path, pid: int) -> bool:
    """Tell whether process `pid` is one of the server on `data`, and has not ended."""
    if _PROC.is_dir():
        return _works_in(_PROC / str(pid), data.resolve())
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True  # another account's, and alive
    return True


def end_orphans(data: Path) -> None:
    """Kill what a killed server left: its processes notice that it is gone only when they wait for something.

    Nothing that was committed is lost by it, and nothing can be started on `data` while one of them lives.
    """
    for process in _PROC.glob("[0-9]*"):
        if _works_in(process, data.resolve()):
            with suppress(ProcessLookupError, PermissionError):
                os.kill(int(process.name), signal.SIGKILL)


def _works_in(process: Path, data: Path) -> bool:
    try:
        if (process / "cwd").readlink() != data:
            return False
        state = (process / "stat").read_text().rpartition(")")[2].split()[0]
        name = (process / "comm").read_text()
    except OSError:  # it has ended, or is another account's
        return False
    return state not in _ENDED and name.startswith("postgres")
