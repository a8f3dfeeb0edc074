import pytest

from omni_core.domain.kernel.errors import InvalidCursor, InvalidValue
from omni_core.domain.kernel.pages import Page, PageRequest, encode_cursor, page_of
from omni_core.testing import SequentialIds

ids = SequentialIds()
ROWS = [ids.new() for _ in range(3)]
CURSOR = encode_cursor(ROWS[0])


def test_a_page_that_is_not_the_last_tells_where_the_next_begins():
    page = page_of(ROWS, 2, lambda row: row)
    assert page.items == tuple(ROWS[:2])
    assert PageRequest(2, page.next_cursor).after == ROWS[1]


@pytest.mark.parametrize("limit", [3, 4])
def test_the_last_page_tells_that_it_is(limit):
    assert page_of(ROWS, limit, lambda row: row) == Page(tuple(ROWS), None)


def test_no_rows_make_an_empty_page():
    assert page_of([], 10, lambda row: row) == Page((), None)


def test_the_first_page_comes_after_nothing():
    assert PageRequest().after is None


@pytest.mark.parametrize("limit", [0, -1, 501])
def test_a_limit_out_of_bounds_is_refused(limit):
    with pytest.raises(InvalidValue) as refused:
        PageRequest(limit)
    assert refused.value.fields["field"] == "limit"


@pytest.mark.parametrize(
    "cursor", ["", "a", "not a cursor", "é", CURSOR[:-1], f"{CURSOR}AAAA", f"!{CURSOR}", f"{CURSOR}\n", f"{CURSOR}=="]
)
def test_a_cursor_of_somebody_elses_making_is_refused(cursor):
    with pytest.raises(InvalidCursor):
        _ = PageRequest(cursor=cursor).after
