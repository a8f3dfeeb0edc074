"""Usage of calls whose callers have gone: recorded all the same, or told to somebody."""

import asyncio
from collections.abc import Sequence

from omni_core.domain.budgets.api import Reservation
from omni_core.domain.kernel.errors import DependencyFailed
from omni_core.domain.llm.ports import UnrecordedUsage
from omni_core.domain.metering.api import UsageEvent, UsageLog

PAUSES_S = (1.0, 5.0, 30.0, 60.0, 120.0, 300.0)


class LateRecords:
    """Appends events in tasks of its own, and again after each of `pauses_s` while the log cannot be reached."""

    def __init__(self, log: UsageLog, unrecorded: UnrecordedUsage, pauses_s: Sequence[float] = PAUSES_S) -> None:
        self._log = log
        self._unrecorded = unrecorded
        self._pauses_s = pauses_s
        self._tasks: set[asyncio.Task[bool]] = set()
        self._ending = asyncio.Event()

    def add(self, event: UsageEvent, reservation: Reservation) -> None:
        """Record `event`, and settle what was set aside for it."""
        self._tasks.add(self._begun(event, reservation))

    async def record(self, event: UsageEvent, reservation: Reservation) -> bool:
        """Do as `add` does, and tell in the end whether it is recorded. Whoever is cancelled takes nothing back."""
        return await asyncio.shield(self._begun(event, reservation))

    async def settled(self) -> None:
        """Wait until nothing is left to be recorded."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def close(self) -> None:
        """Try what is left once more, and no longer."""
        self._ending.set()
        await self.settled()

    def _begun(self, event: UsageEvent, reservation: Reservation) -> asyncio.Task[bool]:
        task = asyncio.create_task(self._record(event, reservation))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _record(self, event: UsageEvent, reservation: Reservation) -> bool:
        try:
            await self._append(event, reservation)
        except Exception as error:  # noqa: BLE001 - whatever kept it from the log, it must not go unheard
            self._unrecorded(event, error)
            return False
        finally:
            reservation.settle(event.charge_picos)
        return True

    async def _append(self, event: UsageEvent, reservation: Reservation) -> None:
        charges = reservation.charges(event.charge_picos)
        for pause_s in self._pauses_s:
            is_last = self._ending.is_set()
            try:
                await self._log.append(event, charges)
            except DependencyFailed:
                if is_last:
                    raise
                await self._pause(pause_s)
            else:
                return
        await self._log.append(event, charges)

    async def _pause(self, seconds: float) -> None:
        waiting = asyncio.ensure_future(self._ending.wait())
        await asyncio.wait((waiting,), timeout=seconds)
        waiting.cancel()
