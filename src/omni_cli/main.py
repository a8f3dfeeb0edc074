"""Assembles the command line. Commands load what they need when they run, so that `omni --help` is quick."""

from typing import Annotated

import typer

from omni_cli.commands import config, db, down, llm, serve, up, worker
from omni_cli.commands.billing import billing
from omni_cli.commands.budgets import budgets
from omni_cli.commands.jobs import jobs
from omni_cli.commands.metering import usage
from omni_cli.commands.pricing import prices
from omni_cli.commands.tenancy import keys, tenants
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


app.command("up", epilog=up.EXAMPLES)(up.up)
app.command("down", epilog=down.EXAMPLES)(down.down)
app.command("serve", epilog=serve.EXAMPLES)(serve.serve)
app.command("worker", epilog=worker.EXAMPLES)(worker.worker)
app.add_typer(db.db, name="db")
app.add_typer(tenants, name="tenants")
app.add_typer(keys, name="keys")
app.add_typer(llm.models, name="models")
app.command("chat", epilog=llm.CHAT_EXAMPLES)(llm.chat)
app.add_typer(prices, name="prices")
app.add_typer(usage, name="usage")
app.add_typer(budgets, name="budgets")
app.add_typer(billing, name="billing")
app.add_typer(jobs, name="jobs")
app.add_typer(config.config, name="config")


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
