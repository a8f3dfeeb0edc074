"""The command line. A command is loaded when it is called, and loads what it needs when it runs (`installed`)."""

from typing import Annotated

import typer

from omni_cli.failures import Program
from omni_cli.options import Json, examples
from omni_cli.output import print_json, print_text
from omni_core.version import __version__

app = typer.Typer(
    cls=Program,
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["--help", "-h"]},
    pretty_exceptions_enable=False,
)


def _version(wanted: bool) -> None:
    if wanted:
        print_text(f"omni {__version__}")
        raise typer.Exit


@app.callback(epilog=examples("omni up", "omni chat --tenant demo 'What is Omni?'", "omni usage --tenant demo"))
def omni(
    show_version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks, as OMNI_DEBUG=1 does.")] = False,
) -> None:
    """Omni: tenants and keys, an LLM gateway, usage metering, budgets and invoices, on one PostgreSQL."""


@app.command("version", epilog=examples("omni version", "omni version --json"))
def version(json: Json = False) -> None:
    """Print the version."""
    if json:
        print_json({"version": __version__})
    else:
        print_text(f"omni {__version__}")


def run() -> None:
    """Run the command line of this process, and exit."""
    app()
