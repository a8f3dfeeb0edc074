"""What is printed survives narrow windows, old encodings and hostile names."""

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from omni_cli.jsonform import as_json, dumps
from omni_cli.output import cell, visible
from omni_core.domain.kernel.clock import Month
from omni_core.domain.kernel.money import Money
from tests.cli.conftest import CommandLine

ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
EVERY_TENANT = ["tenants", "list", "--limit", "500"]


def on_a_terminal(words: list[str], variables: dict[str, str], columns: int) -> str:
    """Run `omni` on a terminal of some width and return everything that appeared on it."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    environment = {"PATH": os.environ["PATH"], "TERM": "xterm", **variables}
    command = [sys.executable, "-m", "omni_cli", *words]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment) as running:
        os.close(theirs)
        shown = bytearray()
        while True:
            try:
                piece = os.read(ours, 65536)
            except OSError:  # the other end is closed
                break
            if not piece:
                break
            shown += piece
    os.close(ours)
    assert running.returncode == 0, shown
    return shown.decode("utf-8")


def variables_of(line: CommandLine) -> dict[str, str]:
    return {name: value for name, value in line.variables.items() if value is not None}


@pytest.mark.parametrize("columns", [1, 10, 40, 80, 200])
def test_any_width_of_a_window_will_do(omni: CommandLine, columns: int) -> None:
    shown = on_a_terminal(["tenants", "list"], variables_of(omni), columns)
    assert omni.json("tenants", "show", "acme")["id"] in ESCAPE.sub("", shown)


def test_a_terminal_that_knows_ascii_only_will_do(omni: CommandLine) -> None:
    omni("tenants", "create", "zoe", "--name", "Zoë 🦊")
    variables = {**variables_of(omni), "PYTHONIOENCODING": "ascii:strict"}
    shown = on_a_terminal(EVERY_TENANT, variables, 200)
    assert shown.isascii()
    assert "Zo\\xeb" in shown
    listed = json.loads(on_a_terminal([*EVERY_TENANT, "--json"], variables, 20))
    assert "Zoë 🦊" in [one["name"] for one in listed["items"]]


def test_what_is_piped_holds_no_colours_and_breaks_no_line(omni: CommandLine) -> None:
    command = [sys.executable, "-m", "omni_cli", "models", "list"]
    environment = {"PATH": os.environ["PATH"], "COLUMNS": "20", **variables_of(omni)}
    printed = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    assert "\x1b" not in printed
    assert [line for line in printed.splitlines() if "omni-brain" in line and "128000" in line]


def test_progress_is_shown_on_a_terminal_only(omni: CommandLine, tenant: str) -> None:
    month = str(Month.of(datetime.now(UTC)))
    words = ["billing", "close", "--tenant", tenant, "--month", month, "--early", "--empty"]
    assert "INV-000001" in on_a_terminal(words, variables_of(omni), 100)
    elsewhere = omni(*words).stderr
    assert "closing" not in elsewhere
    assert "\x1b" not in elsewhere


def test_a_name_cannot_command_the_terminal(omni: CommandLine) -> None:
    omni("tenants", "create", "evil", "--name", "\x1b[2J[red]gone[/red]")
    printed = omni(*EVERY_TENANT).stdout
    assert "\x1b" not in printed
    assert "\\x1b[2J[red]gone[/red]" in printed


@given(st.text())
def test_no_control_character_is_left(text: str) -> None:
    assert visible(text).isprintable()
    assert visible(text).count("\x1b") == 0


def test_values_are_written_for_people() -> None:
    assert cell(None) == cell(()) == cell("") == "-"
    assert (cell(True), cell(False), cell(0)) == ("yes", "no", "0")
    assert cell(datetime(2026, 11, 21, 10, 0, 5, tzinfo=UTC)) == "2026-11-21 10:00:05Z"
    assert cell(Money(1250, "USD")) == "12.50 USD"
    assert cell(frozenset({"b", "a"})) == "a b"


class Line(msgspec.Struct):
    month: Month
    amount: Money
    exact_picos: int
    id: UUID
    home: Path


def test_money_is_minor_units_and_a_decimal() -> None:
    line = Line(Month(2026, 11), Money(1250, "JPY"), 300_000_000, UUID(int=1), Path("/var/lib/omni"))
    assert as_json(line) == {
        "month": "2026-11",
        "amount": {"minor": 1250, "currency": "JPY", "amount": "1250"},
        "exact_picos": 300_000_000,
        "exact": "0.0003",
        "id": "00000000-0000-0000-0000-000000000001",
        "home": "/var/lib/omni",
    }


def test_bytes_are_never_shown() -> None:
    with pytest.raises(TypeError):
        as_json({"digest": b"secret"})


@given(st.dictionaries(st.text(), st.integers() | st.text() | st.none()))
def test_json_is_json_in_every_encoding(value: dict[str, object]) -> None:
    assert json.loads(dumps(value, "ascii")) == value
    assert dumps(value, "ascii").isascii()
