"""Identifiers that count up."""

import secrets
from uuid import UUID

from omni_core.domain.kernel.ids import uuid7


class SequentialIds:
    """The port `Ids`, for tests: each id is the one after the last, so that a failing test reads the same every time.

    Two instances give the same ids unless their `seed` (below 2⁷⁴) differs.
    """

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed
        self._count = 0

    @classmethod
    def unlike_others(cls) -> "SequentialIds":
        """Return a source for tests that share a database with other runs: it counts up from a random seed."""
        return cls(secrets.randbits(74))

    def new(self) -> UUID:
        """Return the next id."""
        self._count += 1
        return uuid7(self._count, self._seed)
