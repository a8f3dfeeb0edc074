"""`omni worker`."""

from typing import Annotated

import typer

from omni_cli.local.shells import become, environment
from omni_cli.options import Home, alone, examples


@alone(examples("omni worker", "omni worker --concurrency 8"))
def worker(
    concurrency: Annotated[
        int | None,
        typer.Option(min=1, max=1000, metavar="JOBS", help="Jobs at once, instead of OMNI_WORKER_CONCURRENCY."),
    ] = None,
    home: Home = None,
) -> None:
    """Run jobs.

    It runs until SIGTERM or Ctrl-C, on as many machines as there is work for.
    """
    become("omni_workers", environment(worker_concurrency=concurrency, home=home))
