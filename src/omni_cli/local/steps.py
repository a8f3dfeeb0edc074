"""Tells people how far a start is: a status line on a terminal, plain lines elsewhere."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from omni_cli.output import console_of, print_text


@contextmanager
def step(doing: str, done: str, *, alone: bool = True) -> Iterator[None]:
    """Say that something is being done while the block lasts, and how long it took.

    `alone` says that nobody else writes to the terminal meanwhile, so that a line on it may move.
    """
    began = time.monotonic()
    console = console_of(sys.stdout)
    ascii_only = console.options.ascii_only
    if console.is_terminal and alone:
        with console.status(f"{doing} ...", spinner="line" if ascii_only else "dots"):
            yield
    else:
        print_text(f"{doing} ...")
        yield
    if console.is_terminal:
        print_text(f"{'ok' if ascii_only else '✓'} {done} ({time.monotonic() - began:.1f} s)")
