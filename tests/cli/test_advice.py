"""How `omni up` tells another shell to call Omni on the same data."""

import shlex
import sys
from contextlib import chdir
from pathlib import Path

import pytest

from omni_cli.local.advice import advice, omni_command
from omni_core.bootstrap.settings import load

ROOT = Path(__file__).parents[2]


def told(directory: Path, **environment: str) -> tuple[str, list[str]]:
    return omni_command(*load(environment, directory=directory))


def assignments(command: str) -> dict[str, str]:
    return dict(word.split("=", 1) for word in shlex.split(command) if "=" in word)


def test_defaults_need_nothing_said(tmp_path: Path) -> None:
    command, secret = told(tmp_path)
    assert (assignments(command), secret) == ({}, [])


def test_where_the_data_is_stands_before_the_command(tmp_path: Path) -> None:
    home = tmp_path / "a home; with 'signs'"
    command, secret = told(tmp_path, OMNI_HOME=str(home), OMNI_CURRENCY="EUR", OMNI_PORT="9000")
    assert assignments(command) == {"OMNI_HOME": str(home), "OMNI_CURRENCY": "EUR"}
    assert secret == []


def test_secrets_are_named_and_not_printed(tmp_path: Path) -> None:
    urls = {
        "DATABASE_URL": "postgresql://omni_app:hunter2@db/omni",
        "OMNI_OWNER_DATABASE_URL": "postgresql://owner@db/omni",
        "OMNI_SECRET_KEY": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
    }
    command, secret = told(tmp_path, **urls)
    assert secret == ["DATABASE_URL", "OMNI_SECRET_KEY"]
    assert assignments(command) == {"OMNI_OWNER_DATABASE_URL": urls["OMNI_OWNER_DATABASE_URL"]}


def test_what_a_file_of_this_folder_says_needs_no_saying(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(f"OMNI_HOME={tmp_path / 'home'}\n", encoding="utf-8")
    assert assignments(told(tmp_path)[0]) == {}


@pytest.mark.parametrize("inside", [True, False])
def test_the_program_is_called_by_a_path_that_works_here(inside: bool, tmp_path: Path) -> None:
    with chdir(Path(sys.prefix).parent if inside else tmp_path):
        (snippet,) = [command for _, command in advice("http://h", "k", "omni") if "openai" in command]
        assert Path(shlex.split(snippet.splitlines()[0])[0]).exists()
