"""Tells the operator by how much this machine's clock is off the database's."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import structlog

from omni_core.domain.budgets.model import Pot
from omni_core.domain.budgets.ports import Grants, Leases, Need, Renewal, Wish
from omni_core.domain.kernel.clock import Clock

_log = structlog.get_logger("omni.clock")
# From here on a difference is told, in seconds. Budgets go by the database's clock, but records carry this machine's.
TOLD_FROM_S = 2.0
# What took longer to answer says too little.
QUICK_S = 0.5


class ClockWatch:
    """Leases whose answers show how far the clocks are apart: a `Leases` around another. It asks nothing of its own.

    `skew_s` is by how many seconds this machine's clock is ahead of the database's; None before the first answer.
    """

    def __init__(self, inner: Leases, clock: Clock) -> None:
        self._inner = inner
        self._clock = clock
        self._is_told = False
        self.skew_s: float | None = None

    async def acquire(self, wishes: Sequence[Wish], needs: Sequence[Need], lasting_s: float) -> Grants:
        """Add to the leases what the calls need."""
        began = self._clock.now()
        grants = await self._inner.acquire(wishes, needs, lasting_s)
        self._compare(began, grants.moment)
        return grants

    async def give_back(self, returns: Sequence[tuple[Pot, UUID, int]]) -> None:
        """Return money that was not needed."""
        await self._inner.give_back(returns)

    async def renew(self, leases: Sequence[tuple[Pot, UUID]], lasting_s: float) -> Renewal:
        """Prolong leases."""
        began = self._clock.now()
        renewal = await self._inner.renew(leases, lasting_s)
        self._compare(began, renewal.moment)
        return renewal

    async def now(self) -> datetime:
        """Return the moment by the leases' clock."""
        began = self._clock.now()
        moment = await self._inner.now()
        self._compare(began, moment)
        return moment

    def _compare(self, began: datetime, moment: datetime) -> None:
        took = (self._clock.now() - began).total_seconds()
        if not 0 <= took <= QUICK_S:
            return
        skew = self.skew_s = (began - moment).total_seconds() + took / 2
        if abs(skew) >= TOLD_FROM_S and not self._is_told:
            self._is_told = True
            _log.warning("this machine's clock is not the database's", ahead_s=round(skew, 3))
        elif abs(skew) < TOLD_FROM_S / 2 and self._is_told:
            self._is_told = False
            _log.info("this machine's clock is the database's again", ahead_s=round(skew, 3))
