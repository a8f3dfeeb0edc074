"""Each command's help teaches by example, and the examples are command lines that parse."""

import re
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


def groups_and_commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    for name, one in getattr(command, "commands", {}).items():
        yield " ".join((*path, name)), one
        yield from groups_and_commands(one, (*path, name))


NAMED = dict(groups_and_commands(typer.main.get_command(app)))
# The same name, and rightly another meaning: rows of a list, or money; which key to look at, or to hold to a budget.
OTHERWISE_IN = {"--limit": {"budgets set"}, "--key": {"budgets set"}, "--model": {"chat"}, "--since": {"events replay"}}


@pytest.mark.parametrize("name", NAMED)
def test_a_help_begins_with_a_sentence_that_a_list_of_commands_has_room_for(name: str) -> None:
    command = NAMED[name]
    first = command.help.partition("\n")[0]
    assert first[0].isupper()
    assert first.endswith(".")
    assert not command.get_short_help_str(limit=62).endswith("...")


@pytest.mark.parametrize("path, command", COMMANDS, ids=[" ".join(path) for path, _ in COMMANDS])
def test_every_option_and_argument_says_what_it_takes(path: tuple[str, ...], command: Any) -> None:
    for one in command.params:
        if one.name in ("help", "install_completion", "show_completion"):
            continue
        assert one.help, one.name
        assert one.help[0].isupper() or one.help[0].isdigit(), one.help
        assert one.help.endswith("."), one.help
        if one.param_type_name == "argument":
            assert one.metavar == one.metavar.upper(), f"{one.name} of {path}"
    # A word or an example stands for an option's value, and not the name of a type in Python.
    shown = CliRunner().invoke(app, [*path, "--help"], prog_name="omni").stdout
    assert not re.search(r"^ +-[^\n]*<(?:str|int|float|UUID|list|Path)\b", shown, re.MULTILINE)


def test_options_of_one_name_say_the_same_in_every_command() -> None:
    said: dict[str, set[tuple[str, str | None, tuple[str, ...]]]] = {}
    for path, command in COMMANDS:
        for one in command.params:
            name = max(one.opts, key=len)
            apart = name in ("--name", "--status") or " ".join(path) in OTHERWISE_IN.get(name, ())
            if one.param_type_name == "option" and not apart:
                short = tuple(word for word in one.opts if word != name)
                said.setdefault(name, set()).add((one.help, one.metavar, short))
    assert {name: helps for name, helps in said.items() if len(helps) > 1} == {}


def test_commands_and_options_that_a_help_names_are_there() -> None:
    for name, command in NAMED.items():
        texts = [command.help, *(getattr(one, "help", None) or "" for one in command.params)]
        own = {word for one in command.params for word in one.opts}
        for text in (re.sub(r"\bpg_\w+ --\S+", "", text) for text in texts):  # another program's options
            for words in re.findall(r"\bomni ((?:[a-z][a-z-]+ ?){1,2})", text):
                called = words.split()
                assert called[0] in NAMED, f"{name}: omni {words}"
                if getattr(NAMED[called[0]], "commands", None) and len(called) > 1:
                    assert " ".join(called) in NAMED, f"{name}: omni {words}"
            assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", text)) <= own, name


def test_the_version_is_told_twice_the_same() -> None:
    for words in (["--version"], ["version"]):
        assert CliRunner().invoke(app, words).stdout == f"omni {__version__}\n"


@pytest.mark.parametrize("words", [[], ["keys"], ["tenants"]])
def test_a_group_alone_shows_its_help(words: list[str]) -> None:
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 64
    assert "Commands:" in result.stderr
