"""Options that many commands share, and the examples that each command's help ends with."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Annotated

import typer

from omni_core.domain.kernel.errors import Invalid
from omni_core.domain.kernel.pages import DEFAULT_LIMIT, MAX_LIMIT

Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
Tenant = Annotated[
    str | None,
    typer.Option(
        "--tenant",
        "-t",
        envvar="OMNI_TENANT",
        metavar="TENANT",
        help="Slug or id; needed where there are several tenants.",
    ),
]
Limit = Annotated[int, typer.Option(min=1, max=MAX_LIMIT, metavar="ROWS", help="How many rows at most.")]
Where = Annotated[
    str | None,
    typer.Option(metavar="CONDITION", help="Only those for which it holds, such as 'status = new'."),
]
Cursor = Annotated[str | None, typer.Option(metavar="CURSOR", help="Go on after an earlier page, by its next_cursor.")]
Home = Annotated[str | None, typer.Option(metavar="FOLDER", help="Folder of Omni's own data, instead of OMNI_HOME.")]
ROWS = DEFAULT_LIMIT
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


class InvalidOption(Invalid):
    """An option's value is not valid."""

    code = "cli.invalid_option"


def commands(about: str) -> typer.Typer:
    """Return an empty group of commands. Its help is plain text, which loads fast and survives pipes."""
    return typer.Typer(help=about, no_args_is_help=True, rich_markup_mode=None, add_completion=False)


class Alone(typer.Typer):
    """A command of its own, outside of any group."""


def alone(epilog: str) -> Callable[[Callable[..., None]], Alone]:
    """Make a function a command of its own, outside of any group."""

    def command(function: Callable[..., None]) -> Alone:
        app = Alone(rich_markup_mode=None, add_completion=False)
        app.command(epilog=epilog)(function)
        return app

    return command


def examples(*lines: str) -> str:
    """Return the end of a command's help: command lines that can be copied."""
    return "\n".join(["\b", "Examples:", *(f"  {line}" for line in lines)])


def option_words(text: str, option: str, form: str) -> list[tuple[str, str]]:
    """Split `a=1,b=2` into pairs; raise `InvalidOption` that shows the `form`."""
    pairs: list[tuple[str, str]] = []
    for word in text.split(","):
        name, separator, value = word.partition("=")
        if not separator or not name.strip() or not value.strip():
            raise InvalidOption(f"{option} {text!r} must look like {form}", field=option, allowed=form)
        pairs.append((name.strip(), value.strip()))
    return pairs


def parse_duration(text: str, option: str) -> timedelta:
    """Read `90s`, `45m`, `12h`, `30d` or `2w`, up to 3650 days; raise `InvalidOption`."""
    found = re.fullmatch(r"([0-9]{1,9})([smhdw])", text.strip())
    length = timedelta(seconds=int(found[1]) * _SECONDS[found[2]]) if found else timedelta(0)
    if not timedelta(0) < length <= timedelta(days=3650):
        raise InvalidOption(f"{option} {text!r} is not a length of time", field=option, allowed="such as 90s, 12h, 30d")
    return length
