"""What commands print: tables for people, JSON for programs."""

import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from io import TextIOWrapper
from typing import TYPE_CHECKING, Any, Generic, Literal, TextIO, TypeVar

from omni_cli.jsonform import as_json, dumps
from omni_core.domain.kernel.money import Money

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

T = TypeVar("T")
# What is piped into another program has no width; rows must not be broken there.
_WIDTH_OF_A_PIPE = 4000
_GAP = 3


@dataclass(frozen=True, slots=True)
class Column(Generic[T]):
    """A column of a table, or a line of a record: its title, and what it shows of a row."""

    title: str
    value: Callable[[T], object]
    numeric: bool = False
    wraps: bool = False
    """Whether it holds words that may go over several lines."""


def print_json(value: object) -> None:
    """Print a read model for programs."""
    print(dumps(as_json(value), sys.stdout.encoding))


def print_rows(
    rows: Sequence[T],
    columns: Sequence[Column[T]],
    *,
    json: bool,
    next_cursor: str | None = None,
    view: Callable[[T], Any] = as_json,
) -> None:
    """Print a listing: a table, or `{"items": [...], "next_cursor": ...}`; `view` is a row's form in JSON."""
    if json:
        print_json({"items": [view(row) for row in rows], "next_cursor": next_cursor})
        return
    if not rows:
        note("none")
        return
    console = console_of(sys.stdout)
    cells = [[cell(column.value(row)) for column in columns] for row in rows]
    if _narrowest(columns, cells) <= console.width:
        console.print(_table(columns, cells))
    else:
        for row in rows:
            print_record(row, columns, json=False)
            print_text("")
    if next_cursor is not None:
        note(f"there are more: --cursor {next_cursor}")


def print_record(row: T, columns: Sequence[Column[T]], *, json: bool, view: Callable[[T], Any] = as_json) -> None:
    """Print one thing: a line for each of its columns, or a JSON object."""
    if json:
        print_json(view(row))
        return
    widest = max(len(column.title) for column in columns)
    for column in columns:
        print(f"{column.title.ljust(widest)}  {cell(column.value(row))}")


def print_text(text: str, *, end: str = "\n") -> None:
    """Print words that came from elsewhere, with control characters made visible."""
    print(visible(text, keep="\n\t"), end=end, flush=True)


def note(text: str) -> None:
    """Say something to people that is not part of the result."""
    print(text, file=sys.stderr)


def cell(value: object) -> str:
    """Write a value in one line: times in UTC, money in major units, nothing as `-`."""
    if value is None or value == "" or (isinstance(value, Sequence | frozenset) and not value):
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    if isinstance(value, Money):
        return str(value)
    if isinstance(value, frozenset | list | tuple):
        words: Iterable[str] = map(str, value)
        return " ".join(sorted(words) if isinstance(value, frozenset) else words)
    return visible(str(value))


def visible(text: str, keep: str = "") -> str:
    """Write control characters as escapes: a name must not be able to command the terminal that shows it."""
    return "".join(
        character if character.isprintable() or character in keep else ascii(character)[1:-1] for character in text
    )


def console_of(stream: TextIO) -> "Console":
    """Return a console that has colours and the width of the window on a terminal, and neither elsewhere."""
    from rich.console import Console

    return Console(
        file=stream, width=None if stream.isatty() else _WIDTH_OF_A_PIPE, highlight=False, markup=False, emoji=False
    )


def make_printable() -> None:
    """Let standard output and error write escapes for what their encoding lacks, instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _narrowest(columns: Sequence[Column[Any]], cells: Sequence[Sequence[str]]) -> int:
    """Return the width that a table needs so that only what may wrap has to."""
    from rich.cells import cell_len

    total = _GAP * (len(columns) - 1)
    for column, texts in zip(columns, zip(*cells, strict=True), strict=True):
        words = [word for text in texts for word in (text.split() if column.wraps else [text])]
        total += max(map(cell_len, [column.title, *words]))
    return total


def _table(columns: Sequence[Column[Any]], cells: Sequence[Sequence[str]]) -> "Table":
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    for column in columns:
        justify: Literal["left", "right"] = "right" if column.numeric else "left"
        table.add_column(column.title, justify=justify, overflow="fold", no_wrap=not column.wraps)
    for texts in cells:
        table.add_row(*map(Text, texts))
    return table
