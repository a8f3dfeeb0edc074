"""`omni serve`."""

from typing import Annotated

import typer

from omni_cli.local.address import free_address
from omni_cli.local.shells import become, environment
from omni_cli.options import Home, alone, examples

Host = Annotated[str | None, typer.Option(metavar="ADDRESS", help="Where to listen, instead of OMNI_HOST.")]
Port = Annotated[
    int | None,
    typer.Option(min=0, max=65535, metavar="PORT", help="Port to listen on, instead of OMNI_PORT; 0 takes a free one."),
]


@alone(
    examples(
        "omni serve",
        "omni serve --host 0.0.0.0 --port 8080",
        "DATABASE_URL=postgresql://omni_app@db/omni omni serve",
    )
)
def serve(host: Host = None, port: Port = None, home: Home = None) -> None:
    """Serve the HTTP API.

    It runs until SIGTERM or Ctrl-C. The database's schema must be up to date: see omni db upgrade.
    """
    from omni_core.bootstrap.settings import load

    variables = environment(host=host, port=port, home=home)
    settings, _ = load(variables)
    free_address(settings.host, settings.port)
    become("omni_http", variables)
