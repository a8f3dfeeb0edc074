"""The programs in examples/ run as they are, and print what they say."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.fences import ROOT

EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
# What an example prints, where that does not depend on the day.
PRINTED = {
    "embed_omni_core.py": [
        "A ticket costs four pounds.",
        "1 call, 22 + 12 tokens, 0.010007 USD",
        "INV-000001",
        ": 0.01 USD",
    ]
}


def test_there_are_examples_and_each_has_its_test() -> None:
    assert {path.name for path in EXAMPLES} == PRINTED.keys()


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_an_example_runs_without_a_warning(example: Path, tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-W", "error", str(example)],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "OMNI_HOME": str(tmp_path / "home")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert [words for words in PRINTED[example.name] if words not in ended.stdout] == []
    assert list(tmp_path.iterdir()) == [], "an example on memory adapters leaves nothing behind"


def test_embedding_takes_less_than_forty_lines() -> None:
    assert len((ROOT / "examples" / "embed_omni_core.py").read_text(encoding="utf-8").splitlines()) < 40
