from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from omni_core.domain.kernel.clock import Month
from omni_core.domain.kernel.errors import InvalidCursor, InvalidValue
from omni_core.domain.kernel.ids import uuid7
from omni_core.domain.kernel.money import Money, Rounding, exponent_of, format_picos, parse_decimal, round_picos, total
from omni_core.domain.kernel.pages import PageRequest, encode_cursor, page_of

currencies = st.sampled_from(["USD", "EUR", "JPY", "KWD", "CLF", "BTC", "ETH"])
picos = st.integers(min_value=0, max_value=10**24)
milliseconds = st.integers(min_value=0, max_value=(1 << 48) - 1)
random_bits = st.integers(min_value=0, max_value=(1 << 74) - 1)
moments = st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=9995 * 365)).map(
    lambda since: datetime(2, 1, 1, tzinfo=UTC) + since
)


@given(picos, currencies, st.sampled_from([Rounding.HALF_UP, Rounding.HALF_EVEN]))
def test_rounding_is_never_off_by_more_than_half_a_unit(amount, currency, rounding):
    unit = Money(1, currency).picos
    assert 2 * abs(round_picos(amount, currency, rounding).picos - amount) <= unit


@given(picos, currencies)
def test_rounding_up_is_never_below_and_never_a_whole_unit_above(amount, currency):
    rounded = round_picos(amount, currency, Rounding.UP).picos
    assert 0 <= rounded - amount < Money(1, currency).picos


@given(picos, picos, currencies, st.sampled_from(Rounding))
def test_rounding_keeps_the_order(one, other, currency, rounding):
    less, more = sorted((one, other))
    assert round_picos(less, currency, rounding).minor <= round_picos(more, currency, rounding).minor


@given(st.integers(min_value=0, max_value=10**12), currencies, st.sampled_from(Rounding))
def test_what_needs_no_rounding_is_left_alone(minor, currency, rounding):
    assert round_picos(Money(minor, currency).picos, currency, rounding) == Money(minor, currency)


@given(st.lists(picos, max_size=20), currencies)
def test_parts_rounded_one_by_one_differ_from_the_whole_by_half_a_unit_each_at_most(parts, currency):
    whole = round_picos(sum(parts), currency, Rounding.HALF_UP).picos
    pieces = total((round_picos(part, currency, Rounding.HALF_UP) for part in parts), currency).picos
    assert 2 * abs(pieces - whole) <= (len(parts) + 1) * Money(1, currency).picos


@given(st.lists(st.integers(), max_size=20), st.integers(min_value=0, max_value=20), currencies)
def test_a_sum_does_not_depend_on_how_it_is_grouped(amounts, cut, currency):
    money = [Money(amount, currency) for amount in amounts]
    assert total(money[:cut], currency) + total(money[cut:], currency) == total(money, currency)


@given(st.integers(min_value=0, max_value=10**17), currencies)
def test_money_reads_what_it_writes(minor, currency):
    number, _, code = str(Money(minor, currency)).partition(" ")
    if minor < 10 ** (15 + exponent_of(currency)):
        assert Money.parse(number, code) == Money(minor, currency)


@given(st.integers(min_value=0, max_value=10**27 - 1))
def test_exact_amounts_read_as_they_are_written(amount):
    assert int(parse_decimal(format_picos(amount), "amount").scaleb(12)) == amount


@given(st.text(max_size=40), currencies)
def test_reading_money_fails_in_one_way_only(text, currency):
    try:
        assert Money.parse(text, currency).minor >= 0
    except InvalidValue as refused:
        assert refused.fields["field"] == "amount"  # noqa: PT017 - most texts are no amounts, some are


@given(milliseconds, random_bits, milliseconds, random_bits)
def test_ids_sort_by_time_then_by_what_was_drawn(ms_a, random_a, ms_b, random_b):
    a, b = uuid7(ms_a, random_a), uuid7(ms_b, random_b)
    assert (a < b) == ((ms_a, random_a) < (ms_b, random_b))
    assert (str(a) < str(b)) == (a < b)


@given(milliseconds, random_bits)
def test_ids_say_what_they_are(ms, random):
    made = uuid7(ms, random)
    assert made.version == 7
    assert made.variant == "specified in RFC 4122"
    assert made.int >> 80 == ms


@given(st.uuids())
def test_a_cursor_leads_back_to_its_row(key: UUID):
    assert PageRequest(cursor=encode_cursor(key)).after == key


@given(st.text(max_size=30))
def test_a_cursor_has_one_spelling_and_everything_else_is_refused(text):
    try:
        key = PageRequest(cursor=text).after
    except InvalidCursor:
        return
    assert key is not None
    assert encode_cursor(key) == text


@given(st.lists(st.uuids(), unique=True, max_size=40), st.integers(min_value=1, max_value=10))
def test_pages_make_up_the_whole_listing(rows, limit):
    rows.sort()
    seen: list[UUID] = []
    request = PageRequest(limit)
    while True:
        after = request.after
        left = [row for row in rows if after is None or row > after]
        page = page_of(left[: limit + 1], limit, lambda row: row)
        seen += page.items
        if page.next_cursor is None:
            break
        request = PageRequest(limit, page.next_cursor)
    assert seen == rows


@given(moments)
def test_a_moment_lies_in_its_month(moment):
    month = Month.of(moment)
    assert month.start <= moment < month.end
    assert Month.parse(str(month)) == month
    assert Month.of(month.end - timedelta(microseconds=1)) == month
