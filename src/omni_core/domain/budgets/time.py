"""The time by which periods begin and leases lapse: the database's, whatever this machine's clock says."""

from datetime import date, datetime, timedelta
from uuid import UUID

from omni_core.domain.budgets.model import Budget, Pot
from omni_core.domain.kernel.clock import Clock, next_day

# By how much, for each second since, an older answer is trusted less than a new one.
DRIFT = 0.001
MAX_POTS = 10_000


class LeaseTime:
    """Tells the database's time from an answer of its and this machine's monotonic clock, without asking again.

    It is off by no more than the answer took. Of two answers the quicker one counts, until it is old.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._moment: datetime | None = None
        self._at = 0.0
        self._took = 0.0
        # No period begins but at midnight, so that a pot stays the running one until the day ends.
        self._day: date | None = None
        self._day_ends_at = 0.0
        self._pots: dict[UUID, Pot] = {}

    @property
    def is_known(self) -> bool:
        """Whether an answer has been heard."""
        return self._moment is not None

    @property
    def age_s(self) -> float:
        """The seconds since an answer was last taken for the time; infinite before the first."""
        return self._clock.monotonic() - self._at if self._moment else float("inf")

    def hear(self, moment: datetime, asked_at: float, *, overrule: bool = False) -> None:
        """Learn that it was `moment` at some time after `asked_at` (monotonic); `overrule` what was heard before."""
        now = self._clock.monotonic()
        took = now - asked_at
        if overrule or self._moment is None or took <= self._took + DRIFT * self.age_s:
            self._moment, self._took, self._at = moment, took, now - took / 2
            self._begin_day()

    def now(self) -> datetime:
        """Return the moment by the database's clock; something must have been heard."""
        if self._moment is None:
            raise RuntimeError("the database's time is not known yet")
        return self._moment + timedelta(seconds=self._clock.monotonic() - self._at)

    def pot(self, budget: Budget) -> Pot:
        """Return the pot of the budget's running period; raise `UnknownWindow`."""
        if self._clock.monotonic() >= self._day_ends_at:
            self._begin_day()
        pot = self._pots.get(budget.id)
        if pot is None:
            if len(self._pots) >= MAX_POTS:
                self._pots.clear()
            pot = self._pots[budget.id] = Pot(budget.tenant_id, budget.id, budget.period(self.now())[0])
        return pot

    def _begin_day(self) -> None:
        now = self.now()
        if now.date() != self._day:
            self._day = now.date()
            self._pots.clear()
        self._day_ends_at = self._clock.monotonic() + (next_day(now) - now).total_seconds()
