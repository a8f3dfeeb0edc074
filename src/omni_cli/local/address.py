"""Where the HTTP server listens, and whether it is ready there."""

import asyncio
import errno
import http.client
import socket
import time
from typing import Final

import msgspec

from omni_cli.options import InvalidOption
from omni_core.domain.kernel.errors import DependencyFailed, Precondition

READY_WITHIN_S: Final = 60.0
_PAUSE_S: Final = 0.03
_ANY: Final = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}  # noqa: S104 - named, not listened on


class PortTaken(Precondition):
    """The port to listen on cannot be had."""

    code = "cli.port_taken"


class NotReady(DependencyFailed):
    """A program of `omni up` did not become ready."""

    code = "cli.not_ready"


class Address(msgspec.Struct, frozen=True):
    """A host name or address, and a port."""

    host: str
    port: int

    @property
    def reachable(self) -> str:
        """A host by which this machine reaches the server."""
        return _ANY.get(self.host, self.host)

    @property
    def url(self) -> str:
        """The URL of the server's root, without a slash at its end."""
        host = f"[{self.reachable}]" if ":" in self.reachable else self.reachable
        return f"http://{host}:{self.port}"


def free_address(host: str, port: int) -> Address:
    """Return the address if it is free, with a port of the system's choice for 0; raise `PortTaken`."""
    try:
        family, kind, protocol, _, where = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        raise InvalidOption(f"{host!r} is no address of this machine", field="--host", allowed="127.0.0.1") from error
    with socket.socket(family, kind, protocol) as probe:
        # As the server will: a connection that lingers from before does not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(where)
            probe.listen(1)
        except OSError as error:
            address = Address(host, port)
            way_out = "an Omni serves there: omni down ends it, --port chooses another"
            if not (error.errno == errno.EADDRINUSE and _is_omni(address)):
                way_out = "choose another one with --port"
            raise PortTaken(f"port {port} on {host} cannot be used ({error.strerror}): {way_out}", port=port) from error
        return Address(host, int(probe.getsockname()[1]))


async def until_ready(address: Address) -> None:
    """Return once GET /health/ready answers 200; raise `NotReady` with the last answer after `READY_WITHIN_S`."""
    until = time.monotonic() + READY_WITHIN_S
    while True:
        problem = await asyncio.to_thread(_ask, address)
        if problem is None:
            return
        if time.monotonic() > until:
            raise NotReady(f"{address.url}/health/ready: {problem}")
        await asyncio.sleep(_PAUSE_S)


def _is_omni(address: Address) -> bool:
    """Tell whether what listens there answers as Omni's own health check does, be it ready or not."""
    connection = http.client.HTTPConnection(address.reachable, address.port, timeout=1)
    try:
        connection.request("GET", "/health/live")
        answer = connection.getresponse()
        return answer.status == http.client.OK and b'"live"' in answer.read(200)
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _ask(address: Address) -> str | None:
    connection = http.client.HTTPConnection(address.reachable, address.port, timeout=5)
    try:
        connection.request("GET", "/health/ready")
        answer = connection.getresponse()
        body = answer.read(2000).decode("utf-8", "replace")
    except (OSError, http.client.HTTPException) as error:
        return type(error).__name__
    finally:
        connection.close()
    return None if answer.status == http.client.OK else f"{answer.status} {body}"
