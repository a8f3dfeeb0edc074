"""What stands in for the ports that only PostgreSQL answers: those that search, join or add up over many rows."""

from collections.abc import Callable, Coroutine
from typing import Any

from omni_core.domain.kernel.errors import Unsupported


class PostgresqlNeeded(Unsupported):
    """This needs PostgreSQL."""

    code = "memory.needs_postgresql"


class NeedsPostgres:
    """Any port, of awaitable methods: each of them, whatever its name and arguments, raises `PostgresqlNeeded`.

    `what` says in words for people what cannot be had in memory, such as "statistics of votes".
    """

    def __init__(self, what: str) -> None:
        self._what = what

    def __getattr__(self, name: str) -> Callable[..., Coroutine[Any, Any, Any]]:
        """Return a method of that name; a name with an underscore in front is no port's, and is not there."""
        if name.startswith("_"):
            raise AttributeError(name)

        async def refuse(*_: Any, **__: Any) -> Any:
            raise PostgresqlNeeded(f"{self._what}: this needs PostgreSQL, and Omni keeps everything in memory here")

        return refuse
