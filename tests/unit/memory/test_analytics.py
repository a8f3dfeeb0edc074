import copy
from collections.abc import Sequence
from typing import Protocol

import pytest

from omni_core.adapters.memory.analytics import NeedsPostgres, PostgresqlNeeded
from omni_core.domain.kernel.errors import Kind


class Statistics(Protocol):
    """A port as a context might own one."""

    async def busiest(self, day: str, *, limit: int) -> Sequence[str]: ...


async def test_every_method_of_the_port_says_what_needs_postgresql():
    statistics: Statistics = NeedsPostgres("statistics of votes")
    with pytest.raises(PostgresqlNeeded, match="statistics of votes: this needs PostgreSQL") as raised:
        await statistics.busiest("2026-11-21", limit=3)
    assert (raised.value.kind, raised.value.code) == (Kind.UNSUPPORTED, "memory.needs_postgresql")


def test_it_answers_to_no_name_that_a_port_does_not_have():
    stand_in = NeedsPostgres("sums")
    assert not hasattr(stand_in, "_private")
    assert copy.deepcopy(stand_in) is not stand_in
