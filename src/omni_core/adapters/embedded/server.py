"""The embedded PostgreSQL as its users see it: attach, connect, release.

Any number of processes attach to the one server of a home folder. The first starts it, the last to release stops it. A
process that is killed counts no more from that moment; a server that it leaves behind is taken over by the next to
attach, or ended by `stop`. A server that is killed is started again by the processes that are attached.
"""

import asyncio
import atexit
import os
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from urllib.parse import quote

import msgspec

from omni_core.adapters.embedded import cluster, holders, postmaster
from omni_core.adapters.embedded.errors import HomeUnusable, StartFailed
from omni_core.adapters.embedded.holders import Hold
from omni_core.adapters.embedded.layout import PORT, Layout
from omni_core.adapters.embedded.locks import exclusive
from omni_core.adapters.embedded.startup import Startup
from omni_core.adapters.embedded.termination import exit_on_termination
from omni_core.adapters.embedded.watch import watched
from omni_core.adapters.embedded.wheel import program_folder


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a home's server. `running` means that it accepts connections."""

    data: str
    running: bool = False
    pid: int | None = None
    version: int | None = None
    """The major version of the data, None before the first start."""
    socket_folder: str | None = None
    holders: int = 0
    """How many attached processes are alive; one that attached twice counts twice."""


class AttachedServer:
    """A running server that stays up at least until `release`."""

    def __init__(self, startup: Startup, socket_folder: Path, hold: Hold) -> None:
        self.socket_folder = socket_folder
        self.programs = startup.folder
        """The folder of psql, pg_dump and the rest, of the server's own version."""
        self._startup = startup
        self._layout = startup.layout
        self._hold: Hold | None = hold
        atexit.register(self._release)

    def dsn(self, user: str, database: str = cluster.DATABASE, *, scheme: str = "postgresql") -> str:
        """Return a URL for asyncpg, or for SQLAlchemy with the scheme `postgresql+asyncpg`. It holds no password."""
        who, what, where = quote(user, safe=""), quote(database, safe=""), quote(str(self.socket_folder))
        return f"{scheme}://{who}@/{what}?host={where}&port={PORT}"

    def how_it_ended(self) -> str | None:
        """Tell whether the server was `killed` or `stopped`; None while it runs, or where it was stopped for good."""
        with _usable(self._layout):
            return None if self._layout.stopped.exists() else postmaster.how_it_ended(self._layout)

    def bring_back(self) -> bool:
        """See to it that the server runs again, unless it was stopped for good; tell whether it does.

        Raises `HomeUnusable` or `StartFailed`, also where it listens elsewhere than this process looks for it.
        """
        with _usable(self._layout), exclusive(self._layout.lock):
            if self._layout.stopped.exists():
                return False
            found = self._startup.join_or_start()
        if found.socket_folder != self.socket_folder:
            raise StartFailed(f"PostgreSQL listens in {found.socket_folder} now, and did in {self.socket_folder}.")
        return True

    async def release(self) -> None:
        """Let go of the server, and stop it if nobody else holds it. A second release does nothing.

        Raises `StopFailed`.
        """
        await asyncio.to_thread(self._release)

    def _release(self) -> None:
        hold, self._hold = self._hold, None
        if hold is None or hold.owner != os.getpid():
            return
        atexit.unregister(self._release)
        with _usable(self._layout), exclusive(self._layout.lock):
            hold.drop()
            if holders.live(self._layout.holders) == 0:
                postmaster.stop(self._layout)


class EmbeddedPostgres:
    """The PostgreSQL server under `home`, of major `version`.

    `settings` override postgresql.conf for the server that this process starts; one that runs already keeps its own.
    """

    def __init__(self, home: Path, *, version: int = 18, settings: Mapping[str, str] | None = None) -> None:
        self._layout = Layout.of(home)
        self._version = version
        self._settings = settings or {}

    async def attach(self) -> AttachedServer:
        """Start the server, or join the one that runs, and return once it accepts connections.

        From then on SIGTERM and SIGHUP end a process that does not handle them through its exit handlers, which
        release. Raises `EmbeddedNotInstalled`, `VersionUnsupported`, `DataOfAnotherVersion`, `HomeUnusable`,
        `AccountMissing` or `StartFailed`.
        """
        exit_on_termination()
        attaching = asyncio.ensure_future(asyncio.to_thread(self._attach))
        try:
            return await asyncio.shield(attaching)
        except asyncio.CancelledError:
            # The thread attaches all the same, for nobody: wait for it and give the server back.
            await (await attaching).release()
            raise

    @asynccontextmanager
    async def attached(self) -> AsyncIterator[AttachedServer]:
        """Attach for the block, and start the server again whenever it was killed meanwhile."""
        server = await self.attach()
        try:
            async with watched(server.how_it_ended, server.bring_back):
                yield server
        finally:
            await server.release()

    def _attach(self) -> AttachedServer:
        programs = program_folder(self._version)
        layout = self._layout
        with _usable(layout):
            layout.make()
            with exclusive(layout.lock):
                startup = Startup(layout, programs, self._version, self._settings)
                found = startup.join_or_start()
                layout.stopped.unlink(missing_ok=True)
                return AttachedServer(startup, found.socket_folder, holders.take(layout.holders))


async def stop(home: Path) -> bool:
    """Stop the server of `home`, whoever holds it, and return whether one ran. Raises `StopFailed`, `HomeUnusable`.

    It stays down until somebody attaches, whoever holds it still.
    """

    def decide() -> bool:
        layout = Layout.of(home)
        with _usable(layout):
            if not layout.exists():
                return False
            with exclusive(layout.lock):
                layout.stopped.touch()
                return postmaster.stop(layout)

    return await asyncio.to_thread(decide)


async def status(home: Path) -> Status:
    """Return how things stand in `home`, starting nothing. Waits for a start or stop in progress.

    Raises `HomeUnusable`.
    """

    def look() -> Status:
        layout = Layout.of(home)
        with _usable(layout):
            if not layout.exists():
                return Status(data=str(layout.data))
            with exclusive(layout.lock):
                found = postmaster.find(layout)
                return Status(
                    running=found is not None,
                    pid=found.pid if found else None,
                    version=cluster.made_by(layout),
                    data=str(layout.data),
                    socket_folder=str(found.socket_folder) if found else None,
                    holders=holders.live(layout.holders),
                )

    return await asyncio.to_thread(look)


@contextmanager
def _usable(layout: Layout) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise HomeUnusable(f"PostgreSQL cannot use {layout.root}: {error}") from error
