from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from omni_core.domain.kernel.conditions.api import (
    OPERATORS,
    AllOf,
    AnyOf,
    Comparison,
    Condition,
    FieldKind,
    Fields,
    InvalidCondition,
    Not,
    Operator,
    evaluate,
    read_condition,
)

FIELDS = Fields(
    {
        "status": FieldKind.TEXT,
        "votes": FieldKind.NUMBER,
        "open": FieldKind.BOOLEAN,
        "at": FieldKind.MOMENT,
        "id": FieldKind.ID,
        "data": FieldKind.JSON,
    }
)
ID = UUID("0198c000-0000-7000-8000-000000000000")
IDEA: dict[str, Any] = {
    "status": "new",
    "votes": 3,
    "open": True,
    "at": datetime(2026, 11, 21, tzinfo=UTC),
    "id": ID,
    "data": {"month": "2026-11", "total": 0.1, "nothing": None, "lines": [{"sku": "a"}], "to": {"name": "Ann"}},
}
NEW = Comparison("status", Operator.EQ, "new")


def is_true(text: str, **changed: object) -> bool:
    return evaluate(read_condition(text, FIELDS), IDEA | changed)


def nested(levels: int) -> Condition:
    condition: Condition = NEW
    for _ in range(levels - 1):
        condition = Not(condition)
    return condition


@pytest.mark.parametrize(
    "text",
    [
        'status = "new" and votes >= 3 and not (status contains "dark mode" or votes in (1, 2))',
        "status != old or votes > 3",
        "at >= 2026-11-21 and at < 2026-11-21T00:00:00.000001Z",
        "at = 2026-11-21T01:00:00+01:00",
        f"id = {ID} and id not in (00000000-0000-0000-0000-000000000000)",
        "data.month starts_with 2026- and data.month ends_with 11",
        "data.total = 0.1 and data.to.name = Ann and open = true",
        "data exists and data.month exists and data.year missing",
    ],
)
def test_what_is_so_is_true(text):
    assert is_true(text)
    assert not is_true(f"not ({text})")


@pytest.mark.parametrize("comparison", ["= new", "!= new", "< new", "> new", "in (new)", "not in (new)", 'contains ""'])
def test_a_comparison_with_what_is_missing_is_false_and_its_opposite_true(comparison):
    assert not is_true(f"status {comparison}", status=None)
    assert is_true(f"not status {comparison}", status=None)


@pytest.mark.parametrize(
    "text", ["data.nothing", "data.year", "data.month.year", "data.lines.0", "data.lines.sku", "data.to.name.0"]
)
def test_a_member_that_is_null_or_not_there_is_missing(text):
    assert is_true(f"{text} missing")
    assert not is_true(f"{text} != x")


@pytest.mark.parametrize("text", ["data.month != 5", "data.total != x", "data.to != x", "data.lines not in (x)"])
def test_a_member_of_another_type_is_neither_equal_nor_unequal(text):
    assert not is_true(text)
    assert is_true(f"{text.split()[0]} exists")


def test_a_missing_object_has_no_members():
    assert is_true("data missing and data.month missing", data=None)


def test_a_field_that_the_values_lack_is_a_mistake_of_the_program():
    with pytest.raises(KeyError):
        evaluate(NEW, {})


def test_values_are_converted_to_the_kind_of_their_field():
    assert FIELDS.check(Comparison("at", Operator.GE, "2026-11-21")) == Comparison("at", Operator.GE, IDEA["at"])
    assert FIELDS.check(Comparison("id", Operator.IN, (str(ID), ID))) == Comparison("id", Operator.IN, (ID, ID))


@pytest.mark.parametrize(
    "condition, place, allowed",
    [
        (Comparison("vote", Operator.EQ, 1), "field", ["status", "votes", "open", "at", "id", "data.…"]),
        (Comparison("votes.x", Operator.EQ, 1), "field", ["status", "votes", "open", "at", "id", "data.…"]),
        (Comparison("open", Operator.LT, True), "operator", list(map(str, OPERATORS[FieldKind.BOOLEAN]))),
        (Comparison("data", Operator.EQ, "x"), "operator", ["exists"]),
        (Comparison("votes", Operator.EQ, "3"), "value", "a number"),
        (Comparison("votes", Operator.EQ, True), "value", "a number"),
        (Comparison("status", Operator.EQ, 3), "value", "a text (in quotes where it looks like a number)"),
        (Comparison("status", Operator.IN, ("new", 3)), "value", "a text (in quotes where it looks like a number)"),
        (Comparison("at", Operator.EQ, "yesterday"), "value", "an ISO 8601 date, or a time with an offset"),
        (Comparison("at", Operator.EQ, "2026-11-21T12:00"), "value", "an ISO 8601 date, or a time with an offset"),
        (Comparison("id", Operator.EQ, "1"), "value", "a UUID"),
        (Comparison("data.a", Operator.IN, ("a", 1)), "value", None),
        (Comparison("data.a", Operator.EQ, ID), "value", None),
        (AllOf((NEW, AnyOf((NEW, Not(Comparison("vote", Operator.EQ, 1)))))), "all[1].any[1].not.field", None),
    ],
)
def test_what_cannot_be_asked_is_refused_by_name(condition, place, allowed):
    with pytest.raises(InvalidCondition) as refused:
        FIELDS.check(condition)
    assert refused.value.fields["field"] == place
    assert refused.value.fields["allowed"] == (allowed or refused.value.fields["allowed"])


def test_bounds_are_reached_but_not_passed():
    highest, widest = nested(10), AllOf((NEW,) * 100)
    for too_many in ((highest,), (widest, NEW)):
        with pytest.raises(InvalidCondition, match="at most"):
            AnyOf(too_many)
    with pytest.raises(InvalidCondition, match="at most"):
        Not(highest)


@pytest.mark.parametrize("kind", [AllOf, AnyOf])
def test_nothing_to_join_is_refused(kind):
    with pytest.raises(InvalidCondition, match="at least one"):
        kind(())


@pytest.mark.parametrize("value", ["x" * 1000, 10**100 - 1, Decimal("-1e-100"), Decimal("1.50")])
def test_values_may_be_large(value):
    assert Comparison("x", Operator.EQ, value).value == value


@pytest.mark.parametrize(
    "value",
    [
        "x" * 1001,
        "a\0b",
        "\ud800",
        10**100,
        -(10**100),
        Decimal("1e100"),
        Decimal("1e-101"),
        Decimal("0e999999"),
        Decimal("nan"),
        Decimal("-inf"),
        0.5,
        None,
        datetime(2026, 11, 21),  # noqa: DTZ001 - without an offset it is no moment
        ("a",),
        {},
    ],
)
def test_values_out_of_bounds_are_refused(value):
    with pytest.raises(InvalidCondition) as refused:
        Comparison("x", Operator.EQ, value)
    assert refused.value.fields["field"] == "value"


@pytest.mark.parametrize("operator", [Operator.IN, Operator.NOT_IN])
@pytest.mark.parametrize("value", ["a", (), ("a",) * 201, (None,), (("a",),)])
def test_lists_out_of_bounds_are_refused(operator, value):
    Comparison("x", operator, ("a",) * 200)
    with pytest.raises(InvalidCondition):
        Comparison("x", operator, value)


@pytest.mark.parametrize("operator", [Operator.CONTAINS, Operator.STARTS_WITH, Operator.ENDS_WITH])
@pytest.mark.parametrize("value", [1, True, ("a",), None])
def test_only_a_text_is_a_part_of_a_text(operator, value):
    with pytest.raises(InvalidCondition):
        Comparison("x", operator, value)


@pytest.mark.parametrize("value", [1, "true", None])
def test_existence_is_true_or_false(value):
    with pytest.raises(InvalidCondition):
        Comparison("x", Operator.EXISTS, value)


@pytest.mark.parametrize(
    "name", ["", "a b", "a.", ".a", "a..b", "-a", "not", "a" * 201, ".".join("a" * 11), 'a"', "a\n"]
)
def test_names_that_could_not_be_written_are_refused(name):
    with pytest.raises(InvalidCondition) as refused:
        Comparison(name, Operator.EQ, 1)
    assert refused.value.fields["field"] == "field"
