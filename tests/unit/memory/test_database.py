from uuid import UUID

import msgspec
import pytest

from omni_core.domain.kernel.errors import NotFound
from omni_core.testing.builders.kernel import a_tenant_id, an_id


class Row(msgspec.Struct):
    """A row that can be changed, and so must never be shared."""

    id: UUID
    words: list[str]


@pytest.fixture
def database(memory):
    return memory.database


async def test_pages_go_by_id_whatever_the_order_in_which_rows_were_added(database):
    rows = [Row(an_id(), []) for _ in range(5)]
    async with database.begin(a_tenant_id()) as tx:
        for row in (rows[3], rows[0], rows[4], rows[1], rows[2]):
            tx.put("row", row.id, row)
        assert tx.newest("row", 2, None) == [rows[4], rows[3]]
        assert tx.newest("row", 9, rows[3].id) == [rows[2], rows[1], rows[0]]
        assert tx.newest("row", 9, None, lambda row: row.id != rows[2].id) == [rows[4], rows[3], rows[1], rows[0]]


async def test_what_is_handed_out_is_the_readers_own(database):
    row = Row(an_id(), ["kept"])
    async with database.begin(a_tenant_id()) as tx:
        tx.put("row", row.id, row)
        handed_out = [tx.one("row", row.id, NotFound()), *tx.newest("row", 1, None), *tx.find("row")]
        for one in [*handed_out, row]:
            one.words.append("lost")
        assert tx.get("row", row.id).words == ["kept"]


async def test_what_is_looked_at_cannot_be_replaced(database):
    async with database.begin(a_tenant_id()) as tx:
        with pytest.raises(TypeError):
            tx.look("row")["key"] = "value"


async def test_a_row_that_is_not_there_raises_what_the_reader_gave(database):
    async with database.begin(a_tenant_id()) as tx:
        with pytest.raises(NotFound, match="no such row"):
            tx.one("row", an_id(), NotFound("no such row"))
