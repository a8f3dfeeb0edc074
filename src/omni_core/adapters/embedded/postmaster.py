"""The running server: found, started and stopped.

Whether one runs is the kernel's word, not a pid's: its processes hold the lock on `Layout.running`, which the first of
them inherited from whoever started it. So neither a pid that another process got after a restart nor a server in
another container over the same folder can mislead us into starting a second one on the same data. One that somebody
started by hand has no lock: it is known by listening on its socket as the very process that `postmaster.pid` names.

Every function that changes something expects the caller to have the home's exclusive lock.
"""

import os
import shlex
import signal
import socket
import struct
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from omni_core.adapters.embedded.census import end_orphans, lives
from omni_core.adapters.embedded.errors import StartFailed, StopFailed
from omni_core.adapters.embedded.layout import SOCKET, Layout
from omni_core.adapters.embedded.locks import is_locked, try_lock
from omni_core.adapters.embedded.programs import Programs, tail

_TIMEOUT_SECONDS = 60
_CONNECT_SECONDS = 5
_PAUSE_SECONDS = 0.02
_ORPHANS_END_WITHIN_SECONDS = 1.0
_PEER = struct.Struct("3i")
"""struct ucred: pid, uid, gid."""


@dataclass(frozen=True, slots=True)
class Postmaster:
    """The server's first process, as it describes itself in postmaster.pid."""

    pid: int
    socket_folder: Path
    ready: bool

    @classmethod
    def read(cls, layout: Layout) -> Self | None:
        """Return what the file says, or None if it is missing, not yet whole or copied from another data folder."""
        try:
            lines = [line.strip() for line in (layout.data / "postmaster.pid").read_text().splitlines()]
        except FileNotFoundError:
            return None
        if len(lines) < 8 or lines[1] != str(layout.data):
            return None
        return cls(int(lines[0]), Path(lines[4]), lines[7] == "ready")

    def listener(self) -> int | None:
        """Return the pid of whoever listens on the socket, 0 if that is another container, or None if nobody does."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.settimeout(_CONNECT_SECONDS)
            try:
                client.connect(str(self.socket_folder / SOCKET))
            except OSError:
                return None
            if sys.platform != "linux":
                return self.pid
            pid, _uid, _gid = _PEER.unpack(client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size))
            return int(pid)


def find(layout: Layout) -> Postmaster | None:
    """Return the server that accepts connections now, or None."""
    found = Postmaster.read(layout)
    if found is None or not found.ready:
        return None
    listener = found.listener()
    return found if listener == found.pid or (listener is not None and is_locked(layout.running)) else None


def how_it_ended(layout: Layout) -> str | None:
    """Tell whether the server was `killed` or `stopped`, or None while it listens."""
    found = Postmaster.read(layout)
    if found is None:
        return "stopped"
    return "killed" if found.listener() is None else None


def find_or_lock(layout: Layout) -> Postmaster | int:
    """Return the server that runs, or else a descriptor with which to start one.

    Waits for a server that is starting, recovering or stopping, and for what a killed one left, which it ends after a
    second. Raises `StartFailed` if that takes over a minute.
    """
    began = time.monotonic()
    while time.monotonic() < began + _TIMEOUT_SECONDS:
        if (found := find(layout)) is not None:
            return found
        named = Postmaster.read(layout)
        is_there = named is not None and lives(layout.data, named.pid)
        if not is_there and (descriptor := try_lock(layout.running)) is not None:
            return descriptor
        if named is not None and not is_there and time.monotonic() > began + _ORPHANS_END_WITHIN_SECONDS:
            _end_orphans(layout, named)
        time.sleep(_PAUSE_SECONDS)
    raise StartFailed(f"PostgreSQL runs on {layout.data} but accepts no connections; see {layout.log}.")


def start(layout: Layout, programs: Programs, socket_folder: Path, running: int) -> Postmaster:
    """Start the server and return it once it accepts connections. It inherits the lock in `running`.

    pg_ctl makes it the leader of a session of its own, so that no terminal's Ctrl-C or hang-up reaches it.
    """
    _clear_stale_pids(layout, socket_folder)
    layout.start_log.unlink(missing_ok=True)
    timing = ("--wait", f"--timeout={_TIMEOUT_SECONDS}", "--silent")
    option = f"-c {shlex.quote(f'config_file={layout.config}')}"
    try:
        programs.run(
            "pg_ctl",
            *("start", "--pgdata", layout.data, "--log", layout.start_log, *timing, "--options", option),
            keep=(running,),
        )
    except StartFailed as error:
        raise StartFailed(f"PostgreSQL did not start: {_last_words(layout)} (see {layout.log})") from error
    started = Postmaster.read(layout)
    if started is None:
        raise StartFailed(f"PostgreSQL started and ended at once: {_last_words(layout)} (see {layout.log})")
    return started


def stop(layout: Layout) -> bool:
    """Stop the server, ending its connections, and return whether one ran.

    Raises `StopFailed` if it does not end within a minute or belongs to another container.
    """
    if not _is_there(layout):
        return False
    deadline = time.monotonic() + _TIMEOUT_SECONDS
    while _is_there(layout):
        found = Postmaster.read(layout)
        listener = found and found.listener()
        if listener == 0:
            raise StopFailed(f"PostgreSQL on {layout.data} runs in another container: stop it there.")
        if found is not None and listener == found.pid:
            os.kill(found.pid, signal.SIGINT)  # PostgreSQL's fast shutdown; asking again changes nothing
        if time.monotonic() > deadline:
            raise StopFailed(f"PostgreSQL on {layout.data} did not stop; see {layout.log}.")
        time.sleep(_PAUSE_SECONDS)
    return True


def _is_there(layout: Layout) -> bool:
    if is_locked(layout.running):
        return True
    by_hand = Postmaster.read(layout)
    return by_hand is not None and by_hand.listener() is not None and lives(layout.data, by_hand.pid)


def _end_orphans(layout: Layout, killed: Postmaster) -> None:
    # Whose first process is in another container is not in this one's list of processes: nothing shows that it is gone.
    if killed.listener() is None:
        end_orphans(layout.data)


def _clear_stale_pids(layout: Layout, socket_folder: Path) -> None:
    # PostgreSQL refuses to start while a process has the pid that a killed server left in these files, whatever that
    # process is; after a restart of a container one usually has. No process of ours has the lock, so they are stale
    # unless somebody started this server by hand.
    found = Postmaster.read(layout)
    if found is not None and found.listener() is not None:
        raise StartFailed(f"PostgreSQL was started on {layout.data} by hand (pid {found.pid}): stop it first.")
    (layout.data / "postmaster.pid").unlink(missing_ok=True)
    (socket_folder / f"{SOCKET}.lock").unlink(missing_ok=True)


def _last_words(layout: Layout) -> str:
    logs = sorted(layout.log.iterdir(), key=lambda path: path.stat().st_mtime_ns)
    return tail(logs[-1].read_text(errors="replace")) if logs else "it wrote no log"
