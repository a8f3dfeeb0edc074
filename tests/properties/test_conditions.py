"""Whatever is asked of whatever row: memory and PostgreSQL give the same answer, and both forms read as written."""

import contextlib
import json
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from omni_core.domain.kernel.conditions.api import (
    OPERATORS,
    AllOf,
    AnyOf,
    Comparison,
    Condition,
    FieldKind,
    InvalidCondition,
    Not,
    Operator,
    format_condition,
    format_json,
    parse_json,
    parse_text,
    read_condition,
)
from tests.support.questions import FIELDS, KINDS, Things, answers_in_memory

pytestmark = pytest.mark.postgres
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
LISTS = {Operator.IN, Operator.NOT_IN}

# From few values, so that rows and conditions meet; among them what is easily confused.
TEXTS = ["", "a", "A", "ab", "ba", "b", "%", "_", "a%b", "a_b", "/", "\\", "\\%", '"', "'", "é", "e\u0301", "ß", "ss"]
TEXTS += ["\uffff", "😀", "\U0010ffff", "true", "1", "null", " ", "\n", str(UUID(int=1))]
WHOLE = [0, 1, -1, 2, 2**31 - 1, -(2**31)]
LARGE = [2**31, 2**53 + 1, 2**63 - 1, -(2**63)]
EXACT = [Decimal(number) for number in ["-0", "1.0", "1.5", "0.1", "1E+2", "1E-30", "0.30000000000000004", "9e99"]]
FLOATS = [-0.0, 1.0, 1.5, 0.1, 0.1 + 0.2, 1e22, 5e-324, 1.7976931348623157e308]
HUGE = [2**63, -(2**63) - 1, 10**40, 10**100 - 1]
MOMENTS = [NOON, NOON + timedelta(microseconds=1), datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)]
IDS = [UUID(int=0), UUID(int=1), UUID(int=2**128 - 1)]

texts = st.sampled_from(TEXTS) | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=4)
decimals = st.sampled_from(EXACT) | st.decimals(-(10**30), 10**30, allow_nan=False)
numbers = st.sampled_from([*WHOLE, *LARGE, *HUGE]) | st.integers(-(10**30), 10**30) | decimals
moments = st.sampled_from(MOMENTS) | st.datetimes(timezones=st.just(UTC))
ids = st.sampled_from(IDS) | st.uuids()
names = st.sampled_from(["a", "b", "größe", "0"])
members = st.recursive(
    st.none() | st.booleans() | texts | numbers | st.sampled_from(FLOATS) | st.floats(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(names, inner, max_size=3),
    max_leaves=6,
)
SCALARS: dict[FieldKind, st.SearchStrategy[Any]] = {
    FieldKind.TEXT: texts,
    FieldKind.NUMBER: numbers.filter(lambda number: not isinstance(number, Decimal) or number.adjusted() > -60),
    FieldKind.BOOLEAN: st.booleans(),
    FieldKind.MOMENT: moments.map(datetime.isoformat),
    FieldKind.ID: ids.map(str),
}
COLUMNS: dict[str, st.SearchStrategy[Any]] = {
    "title": texts,
    "votes": st.sampled_from(WHOLE) | st.integers(-(2**31), 2**31 - 1),
    "total": st.sampled_from([*WHOLE, *LARGE]) | st.integers(-(2**63), 2**63 - 1),
    "price": numbers,
    "open": st.booleans(),
    "at": moments,
    "id": ids,
    "data": members,
}
rows = st.fixed_dictionaries({name: st.none() | values for name, values in COLUMNS.items()})


@st.composite
def comparisons(draw: st.DrawFn) -> Comparison:
    field = draw(st.sampled_from(sorted(KINDS)))
    kind = KINDS[field]
    if kind == FieldKind.JSON and (path := draw(st.lists(names, max_size=3))):
        field = ".".join([field, *path])
        kind = draw(st.sampled_from([FieldKind.TEXT, FieldKind.NUMBER, FieldKind.BOOLEAN]))
    operator = draw(st.sampled_from(OPERATORS[kind]))
    if operator == Operator.EXISTS:
        return Comparison(field, operator, draw(st.booleans()))
    if operator in LISTS:
        return Comparison(field, operator, tuple(draw(st.lists(SCALARS[kind], min_size=1, max_size=3))))
    return Comparison(field, operator, draw(SCALARS[kind]))


def joined(parts: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
    some = st.lists(parts, min_size=1, max_size=3).map(tuple)
    return some.map(AllOf) | some.map(AnyOf) | parts.map(Not)


conditions = st.recursive(comparisons(), joined, max_leaves=6)


@pytest.fixture
async def things(database) -> AsyncIterator[Things]:
    async with Things.created(database) as created:
        yield created


@pytest.fixture
def seen() -> Iterator[set[bool]]:
    """The answers of a whole run, which would show little if they were all the same."""
    answers: set[bool] = set()
    yield answers
    assert answers == {True, False}


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    some_rows=st.lists(rows, min_size=1, max_size=12),
    asked=st.lists(comparisons() | conditions, min_size=1, max_size=12),
)
async def test_postgresql_answers_what_memory_answers(things, seen, some_rows, asked):
    checked = [FIELDS.check(condition) for condition in asked]
    answers = answers_in_memory(some_rows, checked)
    assert await things.answers(some_rows, checked) == answers
    seen.update(answer for row in answers for answer in row)


def pairs_of(kind: FieldKind, operator: Operator, values: list[Any]) -> list[Any]:
    """Every value with this operator; lists are of each value and the one after it."""
    if operator == Operator.EXISTS:
        return [True, False]
    return list(zip(values, [*values[1:], values[0]], strict=True)) if operator in LISTS else values


A_ROW = dict.fromkeys(KINDS)
NUMBERS = [*WHOLE, *LARGE, *EXACT, *HUGE]
NOT_THERE = [None, {}, [], 1, {"a": None}, {"a": ["x"]}, {"a": {"a": "x"}}, ["a"], "a", {"A": "a"}]
OBJECTS = [*({"a": value} for value in [*TEXTS, *FLOATS, *NUMBERS, True, False]), *NOT_THERE]
# A field, the kind that it is compared as, what rows hold, and what they are compared with.
MATRIX: list[tuple[str, FieldKind, list[Any], list[Any]]] = [
    ("title", FieldKind.TEXT, TEXTS, TEXTS),
    ("votes", FieldKind.NUMBER, WHOLE, NUMBERS),
    ("total", FieldKind.NUMBER, [*WHOLE, *LARGE], NUMBERS),
    ("price", FieldKind.NUMBER, NUMBERS, NUMBERS),
    ("open", FieldKind.BOOLEAN, [True, False], [True, False]),
    ("at", FieldKind.MOMENT, MOMENTS, [moment.isoformat() for moment in MOMENTS]),
    ("id", FieldKind.ID, IDS, list(map(str, IDS))),
    ("data.a", FieldKind.TEXT, OBJECTS, TEXTS),
    ("data.a", FieldKind.NUMBER, OBJECTS, NUMBERS),
    ("data.a", FieldKind.BOOLEAN, OBJECTS, [True, False]),
]


@pytest.mark.parametrize("field, kind, held, asked", MATRIX, ids=[f"{field}-{kind}" for field, kind, *_ in MATRIX])
async def test_every_operator_is_both_true_and_false_and_never_something_else(things, field, kind, held, asked):
    table = [A_ROW, *({**A_ROW, field.partition(".")[0]: value} for value in held)]
    for operator in OPERATORS[kind]:
        checked = [FIELDS.check(Comparison(field, operator, value)) for value in pairs_of(kind, operator, asked)]
        checked += [FIELDS.check(Not(condition)) for condition in checked]
        answers = answers_in_memory(table, checked)
        assert await things.answers(table, checked) == answers
        half = len(checked) // 2
        assert {answer for row in answers for answer in row[:half]} == {True, False}
        assert all(row[half:] == [not answer for answer in row[:half]] for row in answers)


@given(conditions)
def test_both_forms_read_as_they_were_written(condition):
    assert parse_text(format_condition(condition)) == condition
    assert parse_json(format_json(condition)) == condition


@given(conditions)
def test_what_was_checked_reads_as_it_was_written(condition):
    checked = FIELDS.check(condition)
    assert read_condition(format_condition(checked), FIELDS) == checked
    assert read_condition(format_json(checked), FIELDS) == checked
    assert FIELDS.check(checked) == checked


WORDS = ["title", "votes", "data.a", "=", "!=", "<", "in", "not", "and", "or", "all", "any", "(", ")", ",", '"a"', "1"]
almost = st.lists(st.sampled_from([*WORDS, "exists", "null", '"', "!", "\\", "1e999"]), max_size=12).map(" ".join)
shapes = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["all", "any", "not", "field", "value"]), inner),
    max_leaves=10,
)


@given(st.text(max_size=30) | almost | shapes.map(json.dumps))
def test_reading_fails_in_one_way_only(text):
    with contextlib.suppress(InvalidCondition):
        condition = read_condition(text, FIELDS)
        assert read_condition(format_condition(condition), FIELDS) == condition
    with contextlib.suppress(InvalidCondition):
        written = format_json(parse_json(text))
        assert format_json(parse_json(written)) == written
