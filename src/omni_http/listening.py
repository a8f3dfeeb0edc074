"""The sockets on which the server listens, had before anything else is opened."""

import errno
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from omni_http.refusals import PortTaken


@contextmanager
def bound(host: str, port: int) -> Iterator[list[socket.socket]]:
    """Bind every address of a host name, with one port of the system's choice for 0; raise `PortTaken`.

    Nobody is let in yet: connections are refused until the server listens.
    """
    with ExitStack() as opened:
        sockets: list[socket.socket] = []
        try:
            for family, kind, protocol, _, where in _addresses_of(host, port):
                one = opened.enter_context(socket.socket(family, kind, protocol))
                # A connection that lingers from before does not count.
                one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                chosen = sockets[0].getsockname()[1] if sockets else port
                one.bind((where[0], chosen, *where[2:]))
                sockets.append(one)
        except OSError as error:
            raise not_had(host, port, error) from error
        yield sockets


def not_had(host: str, port: int, error: OSError) -> PortTaken:
    """Say why an address cannot be listened on."""
    way_out = "another server is there" if error.errno == errno.EADDRINUSE else "OMNI_HOST and OMNI_PORT say where"
    return PortTaken(f"port {port} on {host} cannot be used ({error.strerror}): {way_out}", port=port)


def _addresses_of(host: str, port: int) -> list[tuple[int, int, int, str, tuple[str, int]]]:
    found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    return list(dict.fromkeys(found))  # type: ignore[arg-type]
