"""Time, as a port: the domain never reads a clock of its own."""

from datetime import UTC, date, datetime, timedelta
from typing import Protocol, Self

import msgspec

from omni_core.domain.kernel.errors import InvalidValue
from omni_core.domain.kernel.stored import is_rebuilding


class Clock(Protocol):
    """Wall time for records, monotonic time for durations."""

    def now(self) -> datetime:
        """Return the present moment, timezone-aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never run backwards, from an arbitrary start."""
        ...


class Month(msgspec.Struct, frozen=True, order=True):
    """A calendar month in UTC: from the first moment of its first day up to, not including, the next month."""

    year: int
    month: int

    def __post_init__(self) -> None:
        if is_rebuilding():
            return
        # The last month of 9999 has no end that a datetime could hold.
        if not 1 <= self.month <= 12 or not 1 <= self.year <= 9998:
            raise InvalidValue("month must be a month of the years 1 to 9998", field="month", allowed="YYYY-MM")

    @classmethod
    def parse(cls, text: str, field: str = "month") -> Self:
        """Read `YYYY-MM`; raise `InvalidValue` that names `field`."""
        year, _, month = text.partition("-")
        digits = len(year) == 4 and len(month) == 2 and (year + month).isascii() and (year + month).isdigit()
        if digits and 1 <= int(month) <= 12 and 1 <= int(year) <= 9998:
            return cls(int(year), int(month))
        raise InvalidValue(f"{field} must be a month such as 2026-11", field=field, allowed="YYYY-MM")

    @classmethod
    def of(cls, moment: datetime) -> Self:
        """Return the month that `moment` falls in, in UTC."""
        utc = moment.astimezone(UTC)
        return cls(utc.year, utc.month)

    @property
    def start(self) -> datetime:
        """The first moment of the month."""
        return datetime(self.year, self.month, 1, tzinfo=UTC)

    @property
    def end(self) -> datetime:
        """The first moment after the month."""
        return (self.start + timedelta(days=32)).replace(day=1)

    def next(self) -> "Month":
        """Return the month after this one; raise `InvalidValue` for the last that there is."""
        return Month.of(self.end)

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.month:02d}"


def day_start(moment: datetime) -> datetime:
    """Return midnight UTC at the start of the day that `moment` falls in."""
    utc = moment.astimezone(UTC)
    return datetime(utc.year, utc.month, utc.day, tzinfo=UTC)


def next_day(moment: datetime) -> datetime:
    """Return midnight UTC at the end of the day that `moment` falls in."""
    return day_start(moment) + timedelta(days=1)


def is_moment(value: object) -> bool:
    """Tell whether `value` is a time with a UTC offset."""
    return isinstance(value, datetime) and value.utcoffset() is not None


def check_moment(moment: object, field: str) -> None:
    """Raise `InvalidValue` that names `field` unless `moment` is a time with a UTC offset."""
    if not is_moment(moment):
        raise InvalidValue(
            f"{field} must be a time with a UTC offset", field=field, allowed="a timezone-aware datetime"
        )


def parse_moment(text: str, field: str) -> datetime:
    """Read an ISO 8601 date (midnight UTC) or an ISO 8601 time with an offset; raise `InvalidValue`."""
    try:
        if len(text) == len("2026-11-21"):
            day = date.fromisoformat(text)
            return datetime(day.year, day.month, day.day, tzinfo=UTC)
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise InvalidValue(
            f"{field} must be a date or a time with an offset",
            field=field,
            allowed="YYYY-MM-DD or ISO 8601 with offset",
        ) from error
    raise InvalidValue(f"{field} lacks a UTC offset", field=field, allowed="ISO 8601 with offset, e.g. …Z")
