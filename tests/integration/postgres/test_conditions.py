"""Conditions in PostgreSQL: no value becomes a part of a statement, and indexes serve."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from omni_core.adapters.postgres.conditions import compile_condition
from omni_core.domain.kernel.conditions.api import (
    OPERATORS,
    Comparison,
    Condition,
    FieldKind,
    Operator,
    Scalar,
    Value,
    read_condition,
)
from tests.support.questions import COLUMNS, FIELDS, KINDS, Things, thing

pytestmark = pytest.mark.postgres

MARK = "zzz-'\"%_/\\"
DIALECT = sa.create_engine("postgresql+asyncpg://").dialect
MARKS: dict[FieldKind, Scalar] = {
    FieldKind.TEXT: MARK,
    FieldKind.NUMBER: 987654321,
    FieldKind.BOOLEAN: True,
    FieldKind.MOMENT: datetime(1987, 6, 5, tzinfo=UTC),
    FieldKind.ID: UUID("98765432-1987-6543-2198-765432198765"),
}


def sql_of(condition: Condition) -> Any:
    query = sa.select(thing.c.row).where(compile_condition(condition, COLUMNS))
    return query.compile(dialect=DIALECT)


@pytest.mark.parametrize("field", [*KINDS, "data.zzz", "data.zzz.987654321"])
@pytest.mark.parametrize("kind", MARKS)
def test_no_value_and_no_name_of_a_member_becomes_part_of_the_statement(field, kind):
    if KINDS[field.partition(".")[0]] not in {kind, FieldKind.JSON} or field == "data":
        return
    if "." in field and kind in {FieldKind.MOMENT, FieldKind.ID}:
        return
    for operator in OPERATORS[kind]:
        value: Value = True if operator == Operator.EXISTS else MARKS[kind]
        asked = Comparison(field, operator, (MARKS[kind],) if operator in {Operator.IN, Operator.NOT_IN} else value)
        statement = str(sql_of(FIELDS.check(asked)))
        assert [part for part in ("zzz", "98765", "1987", "'string'", "'number'") if part in statement] == []


def test_texts_are_ordered_by_code_points_and_only_then_without_their_index():
    assert 'COLLATE "C"' in str(sql_of(read_condition("title < a", FIELDS)))
    assert 'COLLATE "C"' in str(sql_of(read_condition("data.a < a", FIELDS)))
    assert "COLLATE" not in str(sql_of(read_condition("title = a or title in (a) or title contains a", FIELDS)))


@pytest.fixture
async def things(database):
    async with Things.created(database) as created:
        yield created


@pytest.mark.parametrize(
    "text",
    [
        "title = a",
        "title in (a, b)",
        "votes = 3",
        "votes >= 3 and votes < 5",
        "total in (3, 9223372036854775807)",
        "price >= 1.5",
        "price = 3",
        "id = 00000000-0000-0000-0000-000000000001",
        "at >= 2026-11-21",
        "id in (00000000-0000-0000-0000-000000000001) and not (title = a)",
    ],
)
async def test_an_index_serves(things, text):
    statement = sql_of(read_condition(text, FIELDS))
    values = tuple(statement.params[name] for name in statement.positiontup)
    async with things.connection.begin() as transaction:
        await things.connection.execute(sa.text("set local enable_seqscan = off"))
        plan = (await things.connection.exec_driver_sql(f"explain {statement}", values)).scalars().all()
        await transaction.rollback()
    assert any("Index Cond" in line for line in plan), plan
