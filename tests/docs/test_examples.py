"""Code in the documentation is code: it compiles, its imports exist, and its commands are commands of Omni."""

import ast
import importlib
import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer.main

from omni_cli.main import app
from tests.docs.fences import ROOT, Fence

OPERATORS = {"|", "||", "&&", "&", ";", ">", ">>", "<", ">&", "(", ")", ");"}


def commands_in(shell: str) -> Iterator[list[str]]:
    """Yield each simple command, without a prompt, comments, assignments and redirections."""
    pending = ""
    for line in shell.splitlines():
        pending += line.removeprefix("$ ") + "\n"
        try:
            words = split_words(pending.replace("\\\n", " "))
        except ValueError:  # a quotation that goes on in the next line
            continue
        if pending.endswith("\\\n"):
            continue
        pending = ""
        command: list[str] = []
        for word in [*words, ";"]:
            if word in OPERATORS:
                if command:
                    yield command
                command = []
            elif command or not re.fullmatch(r"[A-Za-z_]\w*=.*", word):
                command.append(word)
    assert pending == "", f"a quotation is not closed: {pending}"


def split_words(line: str) -> list[str]:
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    return list(lexer)


def commands_named(shell: str, program: str) -> list[list[str]]:
    return [command for command in commands_in(shell) if Path(command[0]).name == program]


def unknown_words(arguments: list[str]) -> list[str]:
    """Words of an `omni` command line that name no subcommand or option."""
    command: Any = typer.main.get_command(app)
    words = iter(arguments)
    for word in words:
        if word.startswith("-") and word != "-":
            name, _, value = word.partition("=")
            options = {o: p for p in command.params for o in [*p.opts, *p.secondary_opts]}
            if name not in {*options, "--help"}:
                return [word]
            if name in options and not options[name].is_flag and not value:
                next(words, None)
        elif subcommands := getattr(command, "commands", None):
            if word not in subcommands:
                return [word]
            command = subcommands[word]
    return []


def test_python_compiles_and_its_imports_of_omni_exist(python_fence: Fence) -> None:
    tree = compile(python_fence.text, str(python_fence), "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("omni_"):
            module = importlib.import_module(node.module or "")
            missing = [alias.name for alias in node.names if not hasattr(module, alias.name)]
            submodules = {path.stem for folder in getattr(module, "__path__", []) for path in Path(folder).iterdir()}
            assert set(missing) <= submodules
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.startswith("omni_"):
                    importlib.import_module(alias.name)


def test_python_marked_to_run_runs(runnable_fence: Fence, tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", runnable_fence.text],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "OMNI_HOME": str(tmp_path / "home")},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr


def test_commands_of_omni_exist(shell_fence: Fence) -> None:
    for command in commands_named(shell_fence.text, "omni"):
        assert unknown_words(command[1:]) == [], shlex.join(command)


def test_targets_of_make_exist(shell_fence: Fence) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    for command in commands_named(shell_fence.text, "make"):
        wanted = {word for word in command[1:] if "=" not in word and not word.startswith("-")}
        assert wanted <= targets


def test_scripts_that_are_called_exist(shell_fence: Fence) -> None:
    for command in commands_in(shell_fence.text):
        scripts = [word for word in command if re.fullmatch(r"(examples|benchmarks|tests)/[\w/.-]+", word)]
        assert [script for script in scripts if not (ROOT / script).exists()] == []


def test_json_parses(json_fence: Fence) -> None:
    json.loads(json_fence.text)
