"""What was turned away: counted by reason, and told in few lines however much it is."""

from collections import Counter

import structlog

from omni_core.adapters.telemetry.metrics import Metrics

EVERY_S = 10.0
"""The least time between two entries of the log."""
_MOST_ADDRESSES = 1000
_log = structlog.get_logger("omni.http")


class Tally:
    """Counts what was turned away since it was last told of."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._reasons: Counter[str] = Counter()
        self._addresses: Counter[str] = Counter()
        self._quiet_until = 0.0

    def count(self, reason: str, address: str) -> None:
        """Count one; `reason` is one of a few words."""
        self._metrics.turned_away(reason)
        self._reasons[reason] += 1
        if address in self._addresses or len(self._addresses) < _MOST_ADDRESSES:
            self._addresses[address] += 1

    def tell(self, now: float, *, at_once: bool = False) -> None:
        """Log what was counted, if there is anything and the last entry is `EVERY_S` ago or more."""
        if not self._reasons or (now < self._quiet_until and not at_once):
            return
        self._quiet_until = now + EVERY_S
        # Where it is a proxy of one's own, the limits are wrong rather than the clients.
        busiest, _ = self._addresses.most_common(1)[0]
        _log.info("turned away", **self._reasons, most_from=busiest)
        self._reasons.clear()
        self._addresses.clear()
