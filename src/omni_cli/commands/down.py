"""`omni down`."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from omni_cli.options import Home, Json, alone, examples
from omni_cli.output import print_json, print_text
from omni_core.domain.kernel.errors import Conflict

if TYPE_CHECKING:
    from omni_cli.local.processes import Process

_GRACE_S = 30.0


class StillInUse(Conflict):
    """Somebody else uses the embedded PostgreSQL."""

    code = "cli.still_in_use"


class Stopped(msgspec.Struct, frozen=True):
    """What was stopped: processes of `omni up`, by name, and the embedded PostgreSQL."""

    processes: tuple[str, ...]
    postgresql: bool


@alone(examples("omni down", "omni down --home ./omni-data", "omni down --force"))
def down(
    home: Home = None,
    force: Annotated[bool, typer.Option("--force", help="Stop PostgreSQL although other programs use it.")] = False,
    json: Json = False,
) -> None:
    """Stop what omni up started.

    Whether it runs in another terminal or was killed; a PostgreSQL that was left is stopped too.
    """
    from omni_cli.local.shells import environment
    from omni_core.bootstrap.settings import Settings

    settings = Settings.load(environment(home=home))
    ended = _end_processes(settings.home)
    stopped = Stopped(
        tuple(f"{process.role} ({process.pid})" for process in ended),
        asyncio.run(_end_postgresql(settings.home, force=force)),
    )
    if json:
        print_json(stopped)
        return
    for name in stopped.processes:
        print_text(f"stopped {name}")
    if stopped.postgresql:
        print_text("stopped PostgreSQL")
    if not ended and not stopped.postgresql:
        print_text("nothing was running")


def _end_processes(home: Path) -> "list[Process]":
    from omni_cli.local import processes

    found = processes.alive(home)
    # `omni up` stops its own children; those that are left after it had lost it already.
    processes.stop(home, [process for process in found if process.role == processes.UP], within_s=_GRACE_S)
    processes.stop(home, found, within_s=_GRACE_S)
    return found


async def _end_postgresql(home: Path, *, force: bool) -> bool:
    from omni_core.adapters.embedded import status, stop

    holders = (await status(home)).holders
    if holders and not force:
        raise StillInUse(
            f"{holders} other programs use PostgreSQL, such as an omni worker: stop them, or give --force",
            holders=holders,
        )
    return await stop(home)
