"""The address is had before anything else, and kept."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from omni_core import Omni, Settings
from omni_core.adapters.telemetry.metrics import Metrics
from omni_http.app import create_app
from omni_http.listening import bound
from omni_http.refusals import PortTaken
from omni_http.server import Server


def test_a_port_of_the_systems_choice_is_the_same_on_every_address() -> None:
    with bound("localhost", 0) as sockets:
        ports = {one.getsockname()[1] for one in sockets}
    assert len(ports) == 1
    assert ports != {0}


@pytest.mark.parametrize("host", ["203.0.113.9", "no.such.invalid"])
def test_what_is_no_address_of_this_machine_is_told(host: str) -> None:
    with pytest.raises(PortTaken, match=f"port 8000 on {host} cannot be used"), bound(host, 8000):
        pass


async def test_who_is_late_to_listen_is_told_as_well() -> None:
    closed: list[str] = []

    @asynccontextmanager
    async def opener(settings: Settings, metrics: Metrics) -> AsyncGenerator[Omni, None]:
        async with Omni.open(settings, memory=True) as omni:
            yield omni
        closed.append("closed")

    with bound("127.0.0.1", 0) as ours:
        port = ours[0].getsockname()[1]
        with bound("127.0.0.1", port) as theirs:
            theirs[0].listen()
            settings, metrics = Settings(port=port), Metrics()
            server = Server(create_app(settings, opener, metrics), settings, metrics)
            with pytest.raises(PortTaken, match=f"port {port} on 127.0.0.1 cannot be used"):
                await server.serve(ours)
    assert closed == ["closed"]
