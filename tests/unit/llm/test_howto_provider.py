"""Follows docs/howto/add-an-llm-provider.md: its files, installed as a distribution of their own, and its tests."""

import os
import re
import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path

import pytest

from tests.docs.fences import ROOT

PAGE = ROOT / "docs" / "howto" / "add-an-llm-provider.md"
FILE = re.compile(r"^<!-- file: (?P<name>\S+) -->\n```\w+\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shout")
    for found in FILE.finditer(PAGE.read_text(encoding="utf-8")):
        (folder / found["name"]).write_text(found["text"])
    return folder


@pytest.fixture(scope="module")
def installed(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("site")
    options = ["--no-index", "--no-deps", "--no-build-isolation", "--quiet", "--disable-pip-version-check"]
    run("pip", "install", *options, "--target", str(target), str(project))
    return target


def run(*arguments: str, **extra: str) -> str:
    command = [sys.executable, "-m", *arguments]
    environment = {**os.environ, **extra}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=100, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def test_the_page_has_the_files_of_a_project(project: Path) -> None:
    assert {path.name for path in project.iterdir()} >= {"pyproject.toml", "shout_models.py", "test_shout.py"}


def test_the_distribution_registers_its_kind(installed: Path) -> None:
    (found,) = distributions(path=[str(installed)])
    assert [(point.group, point.name, point.value) for point in found.entry_points] == [
        ("omni.chat_models", "shout", "shout_models:Shout")
    ]


def test_the_provider_keeps_the_contract_and_is_metered_and_priced(project: Path, installed: Path) -> None:
    # Outside this checkout, and with nothing but what is installed on the path.
    arguments = ["-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--import-mode=importlib", f"--rootdir={project}"]
    said = run("pytest", *arguments, "-c", str(project / "pyproject.toml"), str(project), PYTHONPATH=str(installed))
    passed = re.search(r"(\d+) passed", said)
    assert passed is not None
    assert int(passed[1]) >= 10
    assert "skipped" not in said
