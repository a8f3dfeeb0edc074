"""The leases of this process: renewed while they are in use, given back when they idle."""

from collections.abc import Collection, Sequence

from omni_core.domain.budgets.lease import LEASE_S, HeldLease
from omni_core.domain.budgets.model import Pot
from omni_core.domain.budgets.ports import Leases
from omni_core.domain.budgets.time import LeaseTime
from omni_core.domain.kernel.clock import Clock
from omni_core.domain.kernel.ids import Ids

IDLE_S = 1.0


class HeldLeases:
    """At most one lease on each pot is drawn from."""

    def __init__(self, leases: Leases, time: LeaseTime, clock: Clock, ids: Ids) -> None:
        self._leases = leases
        self._time = time
        self._clock = clock
        self._ids = ids
        self._held: dict[Pot, HeldLease] = {}
        # Leases that nothing more is drawn from, renewed for as long as calls under way hold money of them.
        self._retired: list[HeldLease] = []

    def of(self, pot: Pot) -> HeldLease:
        """Return the lease on a pot, a new one where there is none that may be drawn from."""
        lease = self._held.get(pot)
        if lease is not None and not lease.usable:
            self.retire(lease)
            lease = None
        if lease is None:
            lease = self._held[pot] = HeldLease(pot, self._ids.new(), self._clock)
        return lease

    def retire(self, lease: HeldLease) -> None:
        """Draw from another lease from now on."""
        lease.retire()
        if self._held.get(lease.pot) is lease:
            del self._held[lease.pot]
            if lease.held:
                self._retired.append(lease)

    async def maintain(self) -> None:
        """Renew the leases in use; give back what idles, and of pots near their end all that no call holds.

        Raises `DependencyFailed`, and then goes on as before.
        """
        now = self._clock.monotonic()
        self._retired = [lease for lease in self._retired if lease.held]
        used = [lease for lease in self._held.values() if lease.held or now - lease.used_at < IDLE_S]
        await self._renew([lease for lease in (*used, *self._retired) if lease.renew_at <= now])
        await self.give_back(
            [
                lease
                for lease in self._held.values()
                if now - lease.used_at >= IDLE_S or (lease.is_scarce and lease.free > 0)
            ]
        )

    async def give_back_all(self) -> None:
        """Give back everything that no call holds."""
        await self.give_back(list(self._held.values()))

    async def give_back(self, leases: Collection[HeldLease]) -> None:
        """Return what is free of them, and end those of which nothing is held."""
        ending = [lease for lease in leases if not lease.held and not lease.wanted]
        lessened = [lease for lease in leases if lease.held and not lease.wanted and lease.free > 0]
        returns = [(lease.pot, lease.id, lease.give_up()) for lease in (*ending, *lessened)]
        for lease in ending:
            self.retire(lease)
        if not returns:
            return
        try:
            await self._leases.give_back(returns)
        except BaseException:
            # Nobody knows what the database holds for these leases now: too much perhaps, which is left to lapse.
            for lease in lessened:
                self.retire(lease)
            raise

    async def _renew(self, due: Sequence[HeldLease]) -> None:
        if not due:
            return
        asked_at = self._clock.monotonic()
        renewal = await self._leases.renew([(lease.pot, lease.id) for lease in due], LEASE_S)
        self._time.hear(renewal.moment, asked_at)
        lost = set()
        for lease, is_alive in zip(due, renewal.alive, strict=True):
            if is_alive:
                lease.prolong(asked_at)
            else:
                self.retire(lease)
                lost.add(lease.id)
        self._retired = [lease for lease in self._retired if lease.id not in lost]
