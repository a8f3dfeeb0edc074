"""How a program that serves nobody tells `omni up` that it is ready: by a datagram, as systemd defines (sd_notify)."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from omni_cli.local.address import READY_WITHIN_S, NotReady

_MOST_BYTES: Final = 4096


class Readiness:
    """Where one program announces itself; `variable` tells it where."""

    def __init__(self, channel: socket.socket, path: Path) -> None:
        self._channel = channel
        self.variable = {"NOTIFY_SOCKET": str(path)}

    async def until_ready(self, within_s: float = READY_WITHIN_S) -> None:
        """Return once the program says that it is ready; raise `NotReady`."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(within_s):
                while b"READY=1" not in (await loop.sock_recv(self._channel, _MOST_BYTES)).splitlines():
                    pass
        except TimeoutError as error:
            raise NotReady(f"the worker has not reached its queue within {within_s:g} s") from error


@contextmanager
def readiness() -> Iterator[Readiness]:
    """Listen for the block, in a folder that nobody else can enter."""
    with TemporaryDirectory(prefix="omni-") as folder, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        path = Path(folder) / "ready"
        channel.bind(str(path))
        channel.settimeout(0)
        yield Readiness(channel, path)
