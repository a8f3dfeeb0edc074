"""A table of things with a column of every kind, and what conditions on it answer in memory and in PostgreSQL."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from omni_core.adapters.postgres.conditions import compile_condition
from omni_core.adapters.postgres.engine import Database
from omni_core.domain.kernel.conditions.api import Condition, FieldKind, Fields, evaluate

KINDS = {
    "title": FieldKind.TEXT,
    "votes": FieldKind.NUMBER,
    "total": FieldKind.NUMBER,
    "price": FieldKind.NUMBER,
    "open": FieldKind.BOOLEAN,
    "at": FieldKind.MOMENT,
    "id": FieldKind.ID,
    "data": FieldKind.JSON,
}
FIELDS = Fields(KINDS)

Row = dict[str, Any]

thing = sa.Table(
    "thing",
    sa.MetaData(),
    sa.Column("row", sa.Integer, primary_key=True),
    sa.Column("title", sa.Text, index=True),
    sa.Column("votes", sa.Integer, index=True),
    sa.Column("total", sa.BigInteger, index=True),
    sa.Column("price", sa.Numeric, index=True),
    sa.Column("open", sa.Boolean),
    sa.Column("at", sa.DateTime(timezone=True), index=True),
    sa.Column("id", sa.Uuid, index=True),
    sa.Column("data", JSONB),
    prefixes=["temporary"],
)
COLUMNS: dict[str, sa.ColumnElement[Any]] = {name: thing.c[name] for name in KINDS}
# As the driver is handed it: numbers with all their digits.
_json = msgspec.json.Encoder(decimal_format="number")


@dataclass(frozen=True)
class Things:
    """The table, on a connection of its own, empty at the end of each transaction."""

    connection: AsyncConnection

    @classmethod
    @asynccontextmanager
    async def created(cls, database: Database) -> AsyncIterator["Things"]:
        async with database.engine.connect() as connection:
            await connection.run_sync(thing.create)
            await connection.commit()
            try:
                yield cls(connection)
            finally:
                await connection.rollback()
                await connection.run_sync(thing.drop)
                await connection.commit()

    async def answers(self, rows: Sequence[Row], conditions: Sequence[Condition]) -> list[list[bool]]:
        """Ask every row every condition; a list for each row."""
        values = [
            {**row, "row": number, "data": None if row["data"] is None else _json.encode(row["data"]).decode()}
            for number, row in enumerate(rows)
        ]
        insert = thing.insert().values(data=sa.cast(sa.bindparam("data", type_=sa.Text()), JSONB))
        asked = [
            compile_condition(condition, COLUMNS).self_group().is_(sa.true()).label(f"answer_{number}")
            for number, condition in enumerate(conditions)
        ]
        async with self.connection.begin() as transaction:
            await self.connection.execute(insert, values)
            found = (await self.connection.execute(sa.select(*asked).order_by(thing.c.row))).all()
            await transaction.rollback()
        return [list(answers) for answers in found]


def answers_in_memory(rows: Sequence[Row], conditions: Sequence[Condition]) -> list[list[bool]]:
    """Ask the same of the rows themselves."""
    return [[evaluate(condition, row) for condition in conditions] for row in rows]
