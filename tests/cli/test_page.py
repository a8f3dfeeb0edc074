"""The command lines of docs/howto/command-line.md work, in the order in which they stand there."""

import os
import subprocess
import sys
from pathlib import Path

from tests.cli.conftest import CommandLine
from tests.docs.fences import ROOT, fences

PAGE = ROOT / "docs" / "howto" / "command-line.md"


def test_the_page_works_from_top_to_bottom(bare: CommandLine, fresh_database_url: str, tmp_path: Path) -> None:
    scripts = [fence.text for fence in fences() if fence.page == PAGE and fence.language == "bash"]
    # What starts Omni does not come back until it is stopped; tests/e2e starts it.
    runnable = [text for text in scripts if "omni up" not in text and "omni serve" not in text]
    assert len(runnable) == 6
    variables = {name: value for name, value in bare.variables.items() if value is not None}
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    ended = subprocess.run(
        ["/bin/sh", "-eu", "-c", "\n".join(["omni db upgrade", *runnable])],
        env={**variables, "DATABASE_URL": fresh_database_url, "PATH": programs},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert ended.returncode == 0, ended.stderr
    assert "INV-000001" in ended.stdout
    assert "sk-not-a-real-key" not in ended.stdout + ended.stderr
