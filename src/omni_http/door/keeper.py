"""Who keeps the door: the limits, what is counted by them, and the look at every connection's time."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Protocol

from omni_core.adapters.telemetry.metrics import Metrics
from omni_core.bootstrap.settings.http import HttpSettings, networks_of
from omni_core.domain.kernel.errors import OmniError
from omni_http.door.addresses import Addresses
from omni_http.door.tally import Tally

SLOW_READER = "slow_reader"
"""Counted for a client that did not read its answer; there is nothing that could be told to it."""
_LONGEST_ROUND_S = 1.0
_SHORTEST_ROUND_S = 0.02
_LATE = 3


class Watched(Protocol):
    """A connection, with the moments by which something has to have happened on it, on the loop's clock."""

    deadline: float
    unread_until: float

    def overdue(self, now: float) -> None:
        """Act on a moment that has passed."""
        ...


class Doorkeeper:
    """One for each server. All connections are looked at in rounds, so that none needs a timer of its own."""

    def __init__(self, limits: HttpSettings, metrics: Metrics) -> None:
        self.limits = limits
        self._addresses = Addresses(limits.connections, networks_of(limits.proxies))
        self._tally = Tally(metrics)
        shortest = min(limits.head_s, limits.body_s, limits.idle_s, limits.send_s)
        self.round_s = max(_SHORTEST_ROUND_S, min(_LONGEST_ROUND_S, shortest / 4))
        self.lingering = 0  # connections that are closed as soon as the client may have read why

    def enter(self, address: str) -> bool:
        """Let a connection in, if its address has not too many."""
        return self._addresses.enter(address)

    def leave(self, address: str) -> None:
        """Forget a connection that was let in."""
        self._addresses.leave(address)

    def turned_away(self, error: OmniError, address: str) -> None:
        """Count what was refused."""
        self._tally.count(error.code.removeprefix("http."), address)

    def given_up(self, address: str) -> None:
        """Count a client that did not read its answer."""
        self._tally.count(SLOW_READER, address)

    async def watch(self, connections: Callable[[], Iterable[Watched]]) -> None:
        """Look at the connections, round after round, until cancelled."""
        loop = asyncio.get_running_loop()
        now, has_waited = loop.time(), False
        try:
            while True:
                before = now
                await asyncio.sleep(self.round_s)
                now = loop.time()
                # Where Omni itself was busy, what has come meanwhile is still to be read. But it is not always so.
                has_waited = now - before > _LATE * self.round_s and not has_waited
                if has_waited:
                    continue
                for late in [one for one in connections() if now >= one.deadline or now >= one.unread_until]:
                    late.overdue(now)
                self._tally.tell(now)
        finally:
            self._tally.tell(loop.time(), at_once=True)
