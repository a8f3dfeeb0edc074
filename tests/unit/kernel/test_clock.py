from datetime import UTC, datetime, timedelta, timezone

import pytest

from omni_core.domain.kernel.clock import Month, day_start, next_day, parse_moment
from omni_core.domain.kernel.errors import InvalidValue
from omni_core.testing import FixedClock

CHATHAM = timezone(timedelta(hours=12, minutes=45))


def test_a_month_runs_up_to_the_next():
    november = Month.parse("2026-11")
    assert november == Month(2026, 11)
    assert november.start == datetime(2026, 11, 1, tzinfo=UTC)
    assert november.end == datetime(2026, 12, 1, tzinfo=UTC)
    assert str(november) == "2026-11"


def test_a_year_ends_in_the_next():
    assert Month(2026, 12).next() == Month(2027, 1)
    assert Month(2026, 12).end == datetime(2027, 1, 1, tzinfo=UTC)
    assert Month(9998, 12).end == datetime(9999, 1, 1, tzinfo=UTC)
    with pytest.raises(InvalidValue):
        Month(9998, 12).next()


def test_months_have_an_order():
    assert Month(2026, 9) < Month(2026, 11) < Month(2027, 1)


def test_a_moment_belongs_to_its_month_in_utc():
    assert Month.of(datetime(2026, 11, 30, 23, 59, 59, 999_999, tzinfo=UTC)) == Month(2026, 11)
    assert Month.of(datetime(2026, 12, 1, 12, 44, tzinfo=CHATHAM)) == Month(2026, 11)


@pytest.mark.parametrize(
    "text",
    ["", "2026", "2026-13", "2026-00", "2026-1", "26-11", "2026/11", "2026-11-01", "²⁰²⁶-11", "0000-01", "9999-12"],
)
def test_what_is_no_month_is_refused_by_field(text):
    with pytest.raises(InvalidValue) as refused:
        Month.parse(text, "period")
    assert refused.value.fields["field"] == "period"


@pytest.mark.parametrize("year,month", [(2026, 0), (2026, 13), (0, 1), (9999, 1)])
def test_a_month_that_is_none_cannot_be_made(year, month):
    with pytest.raises(InvalidValue):
        Month(year, month)


def test_days_begin_at_midnight_utc():
    moment = datetime(2026, 11, 21, 3, 0, tzinfo=CHATHAM)
    assert day_start(moment) == datetime(2026, 11, 20, tzinfo=UTC)
    assert next_day(moment) == datetime(2026, 11, 21, tzinfo=UTC)


@pytest.mark.parametrize(
    "text,moment",
    [
        ("2026-11-21", datetime(2026, 11, 21, tzinfo=UTC)),
        ("2026-11-21T10:00:00Z", datetime(2026, 11, 21, 10, tzinfo=UTC)),
        ("2026-11-21T10:00:00.5+02:00", datetime(2026, 11, 21, 8, 0, 0, 500_000, tzinfo=UTC)),
    ],
)
def test_moments_are_read_into_utc(text, moment):
    parsed = parse_moment(text, "since")
    assert parsed == moment
    assert parsed.tzinfo is UTC


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "2026-11-31",
        "2026-11-21T10:00:00",
        "2026-11-21T25:00Z",
        "9999-12-31T23:00-05:00",
        "0001-01-01T00:00+05:00",
    ],
)
def test_what_is_no_moment_is_refused_by_field(text):
    with pytest.raises(InvalidValue) as refused:
        parse_moment(text, "since")
    assert refused.value.fields["field"] == "since"


def test_a_fixed_clock_stands_still_until_it_is_moved():
    clock = FixedClock()
    before = clock.now()
    assert clock.now() == before
    clock.advance(90)
    clock.advance(timedelta(minutes=1))
    assert clock.now() - before == timedelta(seconds=150)
    assert clock.monotonic() == 150
    assert clock.advance_to(datetime(2026, 12, 1, tzinfo=UTC)) == clock.now() == datetime(2026, 12, 1, tzinfo=UTC)


def test_turning_the_wall_clock_back_leaves_monotonic_time():
    clock = FixedClock()
    clock.advance(10)
    before = clock.now()
    assert clock.set_back(timedelta(hours=1)) == before - timedelta(hours=1)
    assert clock.monotonic() == 10
    with pytest.raises(ValueError, match="set_back"):
        clock.advance(-1)
