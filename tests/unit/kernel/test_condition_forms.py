from decimal import Decimal

import pytest

from omni_core.domain.kernel.conditions.api import (
    AllOf,
    AnyOf,
    Comparison,
    Condition,
    FieldKind,
    Fields,
    InvalidCondition,
    Not,
    Operator,
    format_condition,
    format_json,
    parse_json,
    parse_text,
    read_condition,
)

A = Comparison("a", Operator.EQ, 1)
B = Comparison("b", Operator.EQ, "x")
C = Comparison("c", Operator.EXISTS, value=True)


def contains(text: str) -> Comparison:
    return Comparison("a", Operator.CONTAINS, text)


@pytest.mark.parametrize(
    "text, condition",
    [
        ("a = 1", A),
        ("a=1", A),
        (" ( a = 1.0 ) ", A),
        ("b = x", B),
        ('b = "x"', B),
        ("b = 'x'", B),
        ("b='x'", B),
        (r"a contains 'it''s \n'", contains(r"it's \n")),
        ("a = 1 AND B = x OR NOT (c EXISTS)", AnyOf((AllOf((A, Comparison("B", Operator.EQ, "x"))), Not(C)))),
        ("c exists", C),
        ("c missing", Comparison("c", Operator.EXISTS, value=False)),
        ("a = 1 and b = x and c exists", AllOf((A, B, C))),
        ("a = 1 and b = x or c exists", AnyOf((AllOf((A, B)), C))),
        ("a = 1 and (b = x or c exists)", AllOf((A, AnyOf((B, C))))),
        ("(a = 1 and b = x) and c exists", AllOf((AllOf((A, B)), C))),
        ("not a = 1 and b = x", AllOf((Not(A), B))),
        ("not not a = 1", Not(Not(A))),
        ("all(a = 1)", AllOf((A,))),
        ("any(all(a = 1)) or b = x", AnyOf((AnyOf((AllOf((A,)),)), B))),
        ("all = 1", Comparison("all", Operator.EQ, 1)),
        ("in in (in-x, 2)", Comparison("in", Operator.IN, ("in-x", 2))),
        ("a not in (1)", Comparison("a", Operator.NOT_IN, (1,))),
        ("a = true", Comparison("a", Operator.EQ, value=True)),
        ('a = "true"', Comparison("a", Operator.EQ, "true")),
        ("a >= -1.50e1", Comparison("a", Operator.GE, -15)),
        ("a < 0.10", Comparison("a", Operator.LT, Decimal("0.1"))),
        ("a = 007", Comparison("a", Operator.EQ, "007")),
        ("at > 2026-11-21T12:00:00.5+01:00", Comparison("at", Operator.GT, "2026-11-21T12:00:00.5+01:00")),
        (r'a contains "\"\\\u00e9\ud83d\ude00"', contains('"\\é😀')),
        ("a contains 11 or a ends_with true", AnyOf((contains("11"), Comparison("a", Operator.ENDS_WITH, "true")))),
        ("größe.0 starts_with é", Comparison("größe.0", Operator.STARTS_WITH, "é")),
    ],
)
def test_people_write(text, condition):
    assert parse_text(text) == condition
    assert parse_text(format_condition(condition)) == condition


def test_people_read():
    text = 'status = "new" and votes >= 3 and not (title contains "dark mode" or kind in ("bug", "general"))'
    assert format_condition(parse_text(text)) == text


@pytest.mark.parametrize(
    "text, column, allowed",
    [
        ("", 1, "a field"),
        ("votes >= 3 and", 15, "a field"),
        ('"votes" = 3', 1, "a field"),
        ("votes", 6, "exists"),
        ("votes like 3", 7, "contains"),
        ("votes not 3", 7, "not in"),
        ("votes =", 8, "a value"),
        ("votes = and", 9, "a value"),
        ("votes = null", 9, "a value"),
        ("votes = 3 4", 11, "the end"),
        ("votes = 3)", 10, "the end"),
        ("(votes = 3", 11, ")"),
        ("all(votes = 3", 14, ")"),
        ("votes in 3", 10, "("),
        ("votes in ()", 11, "a value"),
        ("votes in (3", 12, ")"),
        ('votes = "3', 9, "a closing quotation mark"),
        ("votes = 'new", 9, "a closing quotation mark"),
        ("votes = AND", 9, "a value"),
        ("votes ! 3", 7, "!="),
        (r'votes = "\q"', 9, "escapes as in JSON"),
    ],
)
def test_people_are_told_where_it_went_wrong_and_what_was_expected(text, column, allowed):
    with pytest.raises(InvalidCondition) as refused:
        parse_text(text)
    assert refused.value.fields["field"] == f"column {column}"
    assert any(one.startswith(allowed) for one in refused.value.fields["allowed"])
    assert f"column {column} " in refused.value.detail


@pytest.mark.parametrize(
    "text", ["not = 1", "a. = 1", "a = 1e999", "a = 1e99999999999999999999", f'a = "{"x" * 1001}"']
)
def test_people_are_told_where_a_value_or_name_is_out_of_bounds(text):
    with pytest.raises(InvalidCondition) as refused:
        parse_text(text)
    assert refused.value.fields["field"].startswith("column ")


def test_programs_write_and_read():
    text = (
        '{"all":[{"field":"a","operator":"eq","value":1},{"any":[{"field":"b","operator":"in","value":["x",0.1]}]},'
        '{"not":{"field":"c","operator":"exists","value":true}}]}'
    )
    condition = AllOf((A, AnyOf((Comparison("b", Operator.IN, ("x", Decimal("0.1"))),)), Not(C)))
    assert format_json(condition) == text
    assert parse_json(text) == condition
    assert parse_json(text.encode()) == condition


def test_json_numbers_keep_their_digits():
    digits = "0.1234567890123456789012345678901234567890"
    text = f'{{"field":"a","operator":"eq","value":{digits}}}'
    assert format_json(parse_json(text)) == text


@pytest.mark.parametrize(
    "text, place",
    [
        ("[]", "condition"),
        ("{}", "condition"),
        ('{"all": {}}', "condition"),
        ('{"all": [], "any": []}', "condition"),
        ('{"all": [], "all": []}', "condition"),
        ('{"all": []}', "condition"),
        ('{"field": "a", "operator": "eq"}', "condition"),
        ('{"field": "a", "operator": "eq", "value": 1, "x": 1}', "condition"),
        ('{"all": [{"field": "a", "operator": "like", "value": 1}]}', "all[0].operator"),
        ('{"not": {"field": "a", "operator": "eq", "value": null}}', "not.value"),
        ('{"any": [{"field": "a b", "operator": "eq", "value": 1}]}', "any[0].field"),
        ('{"any": [1]}', "any[0].condition"),
        ('{"field": "a", "operator": "eq", "value": NaN}', "condition"),
        ('{"field": "a", "operator": "eq", "value": 1e400}', "value"),
        ('{"field": "a", "operator": "eq", "value": "\\ud800"}', "value"),
        ("{", "condition"),
        (b'{"\xff', "condition"),
    ],
)
def test_programs_are_told_the_place(text, place):
    with pytest.raises(InvalidCondition) as refused:
        parse_json(text)
    assert refused.value.fields["field"] == place
    assert refused.value.fields["allowed"]


@pytest.mark.parametrize("part", ["(", "not ", "all(", '{"not":', '{"all":[', "[", '{"not":[', "{"])
@pytest.mark.parametrize("count", [21, 100_000])
def test_however_deep_it_is_refused_in_one_way(part, count):
    with pytest.raises(InvalidCondition):
        read_condition(part * count, Fields({}))


@pytest.mark.parametrize("digits", [5_000, 100_000])
def test_however_long_a_number_is_refused_in_one_way(digits):
    number = "9" * digits
    for text in (f"a = {number}", f'{{"field": "a", "operator": "eq", "value": {number}}}'):
        with pytest.raises(InvalidCondition):
            read_condition(text, Fields({"a": FieldKind.NUMBER}))


def test_ten_levels_can_be_written_in_both_forms():
    condition: Condition = A
    for _ in range(9):
        condition = Not(condition)
    assert parse_text(format_condition(condition)) == condition
    assert parse_json(format_json(condition)) == condition
    with pytest.raises(InvalidCondition, match="10 levels"):
        parse_text(f"not {format_condition(condition)}")


def test_either_form_is_read_and_checked():
    fields = Fields({"a": FieldKind.NUMBER})
    assert read_condition("a = 1", fields) == A
    assert read_condition(f"\n {format_json(A)}", fields) == A
    with pytest.raises(InvalidCondition):
        read_condition("b = x", fields)
