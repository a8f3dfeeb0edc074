"""`omni up`."""

import asyncio
import time
from typing import Annotated

import typer

from omni_cli.commands.serve import Host, Port
from omni_cli.options import Home, alone, examples


@alone(examples("omni up", "omni up --port 9000", "omni up --home ./omni-data --no-worker"))
def up(
    port: Port = None,
    host: Host = None,
    home: Home = None,
    worker: Annotated[bool, typer.Option(help="Run a worker too.")] = True,
) -> None:
    """Start everything here, with a demo tenant.

    That is PostgreSQL, the HTTP server and a worker, and an API key with which to try them.
    Ctrl-C stops it all. For production run omni db upgrade, omni serve and omni worker by themselves.
    """
    began = time.monotonic()
    from omni_cli.local.address import free_address
    from omni_cli.local.advice import omni_command
    from omni_cli.local.run import Plan, run
    from omni_cli.local.shells import check_installed, environment
    from omni_cli.session import set_up_log
    from omni_core.bootstrap.settings import load

    settings, sources = load(environment(host=host, port=port, home=home))
    set_up_log(settings)
    modules = ("omni_http", "omni_workers") if worker else ("omni_http",)
    for module in modules:
        check_installed(module)
    address = free_address(settings.host, settings.port)
    variables = environment(host=address.host, port=address.port, home=home)
    omni, secret = omni_command(settings, sources)
    asyncio.run(run(Plan(settings, address, modules, variables, omni, secret, began)))
