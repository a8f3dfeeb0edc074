"""Conditions as SQL. Values are bound parameters, always, and so are the names of JSON members."""

import operator as compare
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, assert_never

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.types import TypeEngine

from omni_core.domain.kernel.conditions.api import (
    AllOf,
    AnyOf,
    Comparison,
    Condition,
    FieldKind,
    Not,
    Operator,
    Scalar,
)
from omni_core.domain.kernel.conditions.values import kind_of

_Compare = Callable[..., sa.ColumnElement[bool]]
_TYPES: dict[FieldKind, TypeEngine[Any]] = {
    FieldKind.TEXT: sa.Text(),
    FieldKind.NUMBER: sa.Numeric(),
    FieldKind.BOOLEAN: sa.Boolean(),
    FieldKind.MOMENT: sa.DateTime(timezone=True),
    FieldKind.ID: sa.Uuid(),
}
# What jsonb_typeof calls the kinds that a member of a JSON object can have.
_JSON_TYPES = {FieldKind.TEXT: "string", FieldKind.NUMBER: "number", FieldKind.BOOLEAN: "boolean"}
_SAME: dict[Operator, _Compare] = {Operator.EQ: compare.eq, Operator.NE: compare.ne}
_ORDER: dict[Operator, _Compare] = {
    Operator.LT: compare.lt,
    Operator.LE: compare.le,
    Operator.GT: compare.gt,
    Operator.GE: compare.ge,
}
_LIKE: dict[Operator, _Compare] = {
    Operator.CONTAINS: sa.ColumnElement.contains,
    Operator.STARTS_WITH: sa.ColumnElement.startswith,
    Operator.ENDS_WITH: sa.ColumnElement.endswith,
}
_BIGINTS = range(-(2**63), 2**63)


def compile_condition(condition: Condition, columns: Mapping[str, sa.ColumnElement[Any]]) -> sa.ColumnElement[bool]:
    """Return `condition`, as `Fields.check` returned it, as an expression for WHERE.

    `columns` has the column of every declared field under its public name: text, integers or numeric, boolean,
    timestamptz, uuid, jsonb. The expression is true exactly where `evaluate` is; elsewhere it is false or null, so what
    wants the opposite compiles `Not(condition)`. Comparisons of plain columns can use their indexes.
    """
    match condition:
        case AllOf(parts):
            return sa.and_(*(compile_condition(part, columns) for part in parts))
        case AnyOf(parts):
            return sa.or_(*(compile_condition(part, columns) for part in parts))
        case Not(part):
            # Not `NOT`, to which null is null.
            return compile_condition(part, columns).self_group().is_not(sa.true())
        case Comparison(field, operator, value):
            name, *path = field.split(".")
            return _comparison(columns[name], path, operator, value)
        case _:
            assert_never(condition)


def _comparison(
    column: sa.ColumnElement[Any], path: list[str], operator: Operator, value: Any
) -> sa.ColumnElement[bool]:
    if operator == Operator.EXISTS:
        return _exists(column, path) if value else _exists(column, path).is_not(sa.true())
    kind = kind_of(value[0] if isinstance(value, tuple) else value)
    if kind is None:
        raise TypeError(f"{type(value)} is no value of a condition")
    if not path:
        return _compare(column, kind, operator, value)
    member = _member(column, path)
    # Only CASE promises that the cast comes after the check of the type, and not before it.
    return sa.case(
        (sa.func.jsonb_typeof(member) == _JSON_TYPES[kind], _compare(_as(kind, member), kind, operator, value))
    )


def _exists(column: sa.ColumnElement[Any], path: list[str]) -> sa.ColumnElement[bool]:
    if isinstance(column.type, sa.JSON):
        return sa.func.jsonb_typeof(_member(column, path)) != "null"
    return column.is_not(None)


def _member(column: sa.ColumnElement[Any], path: list[str]) -> sa.ColumnElement[Any]:
    """Return a member of objects in objects; `->` with a text never reaches into an array, as `#>` would."""
    for name in path:
        column = column.op("->", return_type=JSONB())(sa.literal(name, sa.Text()))
    return column


def _as(kind: FieldKind, member: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    if kind == FieldKind.TEXT:
        return member.op("#>>", return_type=sa.Text())(sa.literal([], ARRAY(sa.Text())))
    return sa.cast(member, _TYPES[kind])


def _compare(operand: sa.ColumnElement[Any], kind: FieldKind, operator: Operator, value: Any) -> sa.ColumnElement[bool]:
    if operator in _LIKE:
        return _LIKE[operator](operand, value, autoescape=True)
    if operator == Operator.IN:
        return operand == sa.any_(_bound_list(value, kind))
    if operator == Operator.NOT_IN:
        return operand != sa.all_(_bound_list(value, kind))
    if operator in _ORDER and kind == FieldKind.TEXT:
        operand = operand.collate("C")  # by code points, whatever the database's own order
    return (_SAME | _ORDER)[operator](operand, _bound(value, kind))


def _bound(value: Scalar, kind: FieldKind) -> sa.ColumnElement[Any]:
    return sa.literal(_whole(value), _type_of((value,), kind))


def _bound_list(values: tuple[Scalar, ...], kind: FieldKind) -> sa.ColumnElement[Any]:
    return sa.literal([_whole(value) for value in values], ARRAY(_type_of(values, kind)))


def _type_of(values: tuple[Scalar, ...], kind: FieldKind) -> TypeEngine[Any]:
    # A numeric would keep the index of an integer column from being used.
    if kind == FieldKind.NUMBER and all(isinstance(value, int) and value in _BIGINTS for value in map(_whole, values)):
        return sa.BigInteger()
    return _TYPES[kind]


def _whole(value: Scalar) -> Scalar:
    """Return the int that a Decimal without a fraction is."""
    return int(value) if isinstance(value, Decimal) and value == int(value) else value
