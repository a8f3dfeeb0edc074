"""How long to wait before something is tried again."""

from datetime import timedelta

import msgspec


class Backoff(msgspec.Struct, frozen=True):
    """How long to wait before the next attempt: `first`, then `factor` times as long each time, up to `longest`."""

    first: timedelta = timedelta(seconds=5)
    factor: int = 4
    longest: timedelta = timedelta(minutes=5)

    def after(self, attempt: int) -> timedelta:
        """Return the pause after the failure of `attempt`, counted from 1."""
        wait = self.first
        for _ in range(attempt - 1):
            if wait >= self.longest:
                break
            wait *= self.factor
        return min(wait, self.longest)
