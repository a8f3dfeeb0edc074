"""A process's lease on a pot, and the reservations that it covers."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

from omni_core.domain.budgets.model import Charge, Pot
from omni_core.domain.budgets.ports import Grant
from omni_core.domain.kernel.clock import Clock

# What a process that was killed had set aside is there again after at most this time.
LEASE_S = 14.0
# A lease is drawn from for less long than the database keeps it, should its clock be set while the lease lasts.
USABLE_S = 12.0
RENEW_AFTER_S = 4.0
# How long an answer of the database that there is too little is taken for the answer to everybody who waits.
RETRY_S = 0.02


class HeldLease:
    """What this process may draw from one pot: `granted` covers `held`, the sum of open reservations (picos).

    The database never holds less for the lease than `granted`, only more, where an answer of it was lost.
    """

    __slots__ = (
        "_clock",
        "_refusal",
        "_refused_at",
        "_refused_need",
        "_retired",
        "granted",
        "held",
        "id",
        "is_scarce",
        "pot",
        "renew_at",
        "stirs",
        "used_at",
        "valid_until",
        "wanted",
    )

    def __init__(self, pot: Pot, lease_id: UUID, clock: Clock) -> None:
        self._clock = clock
        self._refusal: Grant | None = None
        self._refused_at = 0.0
        self._refused_need = 0
        self._retired = False
        self.pot = pot
        self.id = lease_id
        self.granted = 0
        self.held = 0
        # Whether the database is being asked for more.
        self.wanted = False
        # Whether the pot was near its end when the database last answered.
        self.is_scarce = False
        self.used_at = clock.monotonic()
        self.renew_at = self.valid_until = float("inf")
        # Whom to wake when a reservation is settled.
        self.stirs: asyncio.Event | None = None

    @property
    def free(self) -> int:
        """What no reservation holds; below 0 where calls cost more than they had reserved."""
        return self.granted - self.held

    @property
    def usable(self) -> bool:
        """Whether reservations may be drawn from it: not once the database may have taken it back."""
        return not self._retired and self._clock.monotonic() < self.valid_until

    def retire(self) -> None:
        """Draw nothing more from it; open reservations settle on it all the same."""
        self._retired = True

    def prolong(self, asked_at: float) -> None:
        """Count its life from the moment (monotonic) before the database was asked."""
        self.renew_at = asked_at + RENEW_AFTER_S
        self.valid_until = asked_at + USABLE_S

    def covers(self, need: int) -> bool:
        """Tell whether `need` can be set aside without asking the database."""
        return self.free >= need and self.usable

    def take(self, need: int) -> None:
        """Set `need` aside, which the lease covers."""
        self.held += need
        self.used_at = self._clock.monotonic()

    def keep(self, at_most: int) -> int:
        """Set what is free, up to `at_most`, aside for those for whom the database is asked; return how much."""
        kept = min(self.free, at_most)
        self.held += max(kept, 0)
        return kept

    def let_go(self, kept: int) -> None:
        """Free again what `keep` has set aside."""
        self.held -= max(kept, 0)

    def accept(self, grant: Grant, asked_at: float) -> None:
        """Add what the database granted."""
        self.is_scarce = grant.is_scarce
        if grant.granted_picos:
            self.granted += grant.granted_picos
            self.prolong(asked_at)
            self._refusal = None

    def refuse(self, grant: Grant, need: int) -> None:
        """Remember that the pot had too little for a call that needs `need`."""
        missing = need - self.free
        if self._refusal is not grant or missing < self._refused_need:
            self._refusal, self._refused_need, self._refused_at = grant, missing, self._clock.monotonic()

    def refusal_of(self, missing: int) -> Grant | None:
        """Return the refusal of as much or less that somebody has just heard."""
        if missing >= self._refused_need and self._clock.monotonic() - self._refused_at < RETRY_S:
            return self._refusal
        return None

    def settle(self, reserved: int, spent: int) -> None:
        """Close a reservation, and book on the lease what the database has booked on the pot."""
        self.held -= reserved
        self.granted = max(self.granted - spent, 0)
        self.used_at = self._clock.monotonic()
        self._refusal = None
        if self.stirs is not None:
            self.stirs.set()

    def give_up(self) -> int:
        """Take what is free off the lease, so that nobody reserves it while it is given back; return how much."""
        picos = max(self.free, 0)
        self.granted -= picos
        return picos


class Reservation:
    """Money set aside for one call, on every pot that the call draws from."""

    __slots__ = ("_leases", "_open", "picos")

    def __init__(self, leases: Sequence[HeldLease], picos: int) -> None:
        self._leases = leases
        self._open = True
        self.picos = picos

    @classmethod
    def drawn_from(cls, leases: Sequence[HeldLease], picos: int) -> "Reservation | None":
        """Set `picos` aside on all of the leases; None, and nothing is, where one of them does not cover it."""
        for lease in leases:
            if not lease.covers(picos):
                return None
        for lease in leases:
            lease.take(picos)
        return cls(leases, picos)

    def charges(self, picos: int) -> tuple[Charge, ...]:
        """Return what to commit together with usage that cost `picos`."""
        return tuple(Charge(lease.pot, lease.id, picos) for lease in self._leases) if picos else ()

    def settle(self, picos: int) -> None:
        """Close the reservation after charges of `picos` were committed; 0 where nothing was used."""
        if self._open:
            self._open = False
            for lease in self._leases:
                lease.settle(self.picos, picos)
