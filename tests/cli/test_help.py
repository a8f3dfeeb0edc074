"""Each command's help teaches by example, and the examples are command lines that parse."""

import shlex
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path
from typing import Any

import pytest
import typer.main
from typer.testing import CliRunner

from omni_cli.main import app
from omni_core.version import __version__

ROOT = Path(__file__).parents[2]


def leaves(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield every command that does something, with the words that call it."""
    below = getattr(command, "commands", {})
    if not below or command.invoke_without_command:
        yield path, command
    for name, one in below.items():
        yield from leaves(one, (*path, name))


COMMANDS = list(leaves(typer.main.get_command(app)))


def example_lines(help_text: str) -> list[str]:
    return [line.strip() for line in help_text.partition("Examples:\n")[2].splitlines() if line.strip()]


def words_of_omni(line: str) -> list[str]:
    """The words after `omni` in a line of shell, up to a pipe or a redirection."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|<>")
    lexer.whitespace_split = True
    words = list(lexer)
    words = words[words.index("omni") + 1 :]
    ends = [words.index(word) for word in ("|", "<", ">") if word in words]
    return words[: min(ends, default=len(words))]


def test_every_command_of_the_plan_is_there() -> None:
    wanted = "up serve worker db tenants keys models chat usage budgets billing jobs config down prices version"
    assert set(wanted.split()) <= set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]


@pytest.mark.parametrize("path, command", COMMANDS, ids=[" ".join(path) for path, _ in COMMANDS])
def test_help_ends_with_examples_that_parse(path: tuple[str, ...], command: Any) -> None:
    result = CliRunner().invoke(app, [*path, "--help"], prog_name="omni")
    assert result.exit_code == 0
    lines = example_lines(result.stdout)
    assert lines
    for line in lines:
        words = words_of_omni(line)
        called = typer.main.get_command(app)
        while words and words[0] in getattr(called, "commands", {}):
            called = called.commands[words.pop(0)]  # type: ignore[attr-defined]
        with chdir(ROOT):
            called.make_context("omni", words)  # raises a usage error for a word that is unknown or missing


@pytest.mark.parametrize("path, command", COMMANDS, ids=[" ".join(path) for path, _ in COMMANDS])
def test_examples_are_of_the_command_itself(path: tuple[str, ...], command: Any) -> None:
    assert " ".join(("omni", *path)) in (command.epilog or "") or path == ()


def test_groups_say_what_they_are_for() -> None:
    for name, group in typer.main.get_command(app).commands.items():  # type: ignore[attr-defined]
        short = group.get_short_help_str(limit=60)
        assert short, name
        assert not short.endswith("..."), f"{name} is cut off in a list of commands"


def test_the_version_is_told_twice_the_same() -> None:
    for words in (["--version"], ["version"]):
        assert CliRunner().invoke(app, words).stdout == f"omni {__version__}\n"


@pytest.mark.parametrize("words", [[], ["keys"], ["tenants"]])
def test_a_group_alone_shows_its_help(words: list[str]) -> None:
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 64
    assert "Commands:" in result.stderr
