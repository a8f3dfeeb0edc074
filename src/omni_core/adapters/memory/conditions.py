"""Conditions on rows in memory."""

from collections.abc import Iterator, Mapping
from typing import Any

from omni_core.adapters.memory.database import Where
from omni_core.domain.kernel.conditions.api import Condition, evaluate


class _Attributes(Mapping[str, Any]):
    """A row, as a condition asks it: by the names of its attributes."""

    def __init__(self, row: object) -> None:
        self._row = row

    def __getitem__(self, name: str) -> Any:
        return getattr(self._row, name)

    def __iter__(self) -> Iterator[str]:
        return (name for name in dir(self._row) if not name.startswith("_"))

    def __len__(self) -> int:
        return sum(1 for _ in self)


def holds(where: Condition | None) -> Where:
    """Return what tells whether a condition holds for a row; without one it holds for all."""
    return lambda row: where is None or evaluate(where, _Attributes(row))
