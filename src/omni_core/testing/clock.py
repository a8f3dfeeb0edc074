"""A clock that stands still until it is told to move."""

from datetime import UTC, datetime, timedelta

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


class FixedClock:
    """The port `Clock`, for tests: starts at noon UTC of 21 November 2026 unless told otherwise."""

    def __init__(self, now: datetime = NOON) -> None:
        self._now = now
        self._monotonic = 0.0

    def now(self) -> datetime:
        """Return the moment at which the clock stands."""
        return self._now

    def monotonic(self) -> float:
        """Return the seconds by which the clock was advanced."""
        return self._monotonic

    def advance(self, by: timedelta | float) -> datetime:
        """Let time pass, `by` seconds or a timedelta; return the new moment."""
        passed = by if isinstance(by, timedelta) else timedelta(seconds=by)
        if passed < timedelta():
            raise ValueError("time passes forwards; set_back() turns the wall clock alone")
        self._now += passed
        self._monotonic += passed.total_seconds()
        return self._now

    def advance_to(self, moment: datetime) -> datetime:
        """Let time pass until `moment`, such as the first of the next month."""
        return self.advance(moment - self._now)

    def set_back(self, by: timedelta) -> datetime:
        """Turn the wall clock back, as an administrator might; monotonic time stays."""
        self._now -= by
        return self._now
