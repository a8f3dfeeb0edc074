"""Tells people how far a start is: a status line on a terminal, plain lines elsewhere."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from omni_cli.output import console_of, print_text


@contextmanager
def step(doing: str, done: str) -> Iterator[None]:
    """Say that something is being done while the block lasts, and how long it took."""
    began = time.monotonic()
    console = console_of(sys.stdout)
    if console.is_terminal:
        # ASCII where the terminal can show nothing else.
        with console.status(f"{doing} ...", spinner="line" if console.options.ascii_only else "dots"):
            yield
        print_text(f"{'ok' if console.options.ascii_only else '✓'} {done} ({time.monotonic() - began:.1f} s)")
    else:
        print_text(f"{doing} ...")
        yield
