"""A process's lease on a pot, and the reservations that it covers."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

from omni_core.domain.budgets.model import Charge, Pot
from omni_core.domain.budgets.ports import Grant
from omni_core.domain.kernel.clock import Clock


class HeldLease:
    """What this process may draw from one pot: `granted` covers `held`, the sum of open reservations (picos)."""

    __slots__ = (
        "_clock",
        "answer",
        "answered_at",
        "asking",
        "granted",
        "held",
        "id",
        "pot",
        "settled",
        "used_at",
        "valid_until",
        "wanted",
    )

    def __init__(self, pot: Pot, lease_id: UUID, clock: Clock) -> None:
        self._clock = clock
        self.pot = pot
        self.id = lease_id
        self.granted = 0
        self.held = 0
        self.wanted = 0
        self.used_at = clock.monotonic()
        self.valid_until: float | None = None
        self.asking = asyncio.Lock()
        self.settled = asyncio.Event()
        self.answer: Grant | None = None
        self.answered_at = 0.0

    @property
    def free(self) -> int:
        """What no reservation holds."""
        return self.granted - self.held

    @property
    def lapsed(self) -> bool:
        """Whether the database may have taken the lease back; nothing more is drawn from it then."""
        return self.valid_until is not None and self._clock.monotonic() >= self.valid_until

    def take(self, need: int) -> bool:
        """Set `need` aside if the lease covers it."""
        if self.free < need or self.lapsed:
            return False
        self.held += need
        self.used_at = self._clock.monotonic()
        return True

    def settle(self, reserved: int, spent: int) -> None:
        """Close a reservation, and book on the lease what the database has booked on the pot."""
        self.held -= reserved
        self.granted = max(self.granted - spent, 0)
        self.used_at = self._clock.monotonic()
        self.settled.set()


class Reservation:
    """Money set aside for one call, on every pot that the call draws from."""

    __slots__ = ("_leases", "_open", "picos")

    def __init__(self, leases: Sequence[HeldLease], picos: int) -> None:
        self._leases = leases
        self._open = True
        self.picos = picos

    def charges(self, picos: int) -> tuple[Charge, ...]:
        """Return what to commit together with usage that cost `picos`."""
        return tuple(Charge(lease.pot, lease.id, picos) for lease in self._leases)

    def settle(self, picos: int) -> None:
        """Close the reservation after charges of `picos` were committed; 0 where nothing was used."""
        if self._open:
            self._open = False
            for lease in self._leases:
                lease.settle(self.picos, picos)
