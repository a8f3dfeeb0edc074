"""The limits of a provider on the command line."""

from typing import Annotated, cast

import typer

from omni_core.domain.llm.limits import NAMES, LimitName

_SECONDS = "SECONDS"

ConnectTimeout = Annotated[
    float | None, typer.Option(metavar=_SECONDS, help="The longest wait for a connection, TLS included.")
]
FirstByteTimeout = Annotated[
    float | None,
    typer.Option(metavar=_SECONDS, help="The longest wait for the answer to begin, once the request is sent."),
]
ReadTimeout = Annotated[float | None, typer.Option(metavar=_SECONDS, help="The longest silence in an answer.")]
TotalTimeout = Annotated[
    float | None, typer.Option(metavar=_SECONDS, help="The longest call, whatever comes meanwhile.")
]
MaxConnections = Annotated[
    int | None, typer.Option(metavar="NUMBER", help="Calls at once, each over a connection, in each process.")
]
ConnectionWait = Annotated[
    float | None, typer.Option(metavar=_SECONDS, help="The longest wait of a call for a free connection.")
]
MaxWaiting = Annotated[
    int | None, typer.Option(metavar="NUMBER", help="Calls that may wait at once for one, in each process.")
]
Reset = Annotated[
    list[str] | None,
    typer.Option(
        metavar="LIMIT", help=f"Leave this limit to the settings again; repeat it. One of {', '.join(NAMES)}."
    ),
]


def reset_of(names: list[str] | None) -> tuple[LimitName, ...]:
    """Return what was named; whether each is a limit is the catalogue's to say."""
    return cast("tuple[LimitName, ...]", tuple(names or ()))


def seconds(value: float) -> str:
    """Write a time of seconds: `0.5 s`, `120 s`."""
    return f"{value:g} s"
