"""Tells whoever started this program that it is ready, in the way that systemd defines (sd_notify).

A supervisor that wants to know names a socket in NOTIFY_SOCKET; `omni up` does, as does a systemd unit of Type=notify.
"""

import os
import socket

import structlog

_READY = b"READY=1\n"
_log = structlog.get_logger("omni.worker")


def announce_ready() -> None:
    """Tell the supervisor, if there is one that wants to know; one that has gone is no reason not to work."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    # An @ stands for the NUL with which the names of Linux's abstract sockets begin.
    where = f"\0{address[1:]}" if address.startswith("@") else address
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
            channel.settimeout(0)  # whoever does not listen is not waited for
            channel.sendto(_READY, where)
    except OSError as error:
        _log.warning("supervisor not told", detail=str(error))
