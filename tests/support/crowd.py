"""The house with many more rooms: copies of one context in a scratch checkout, to see what then breaks or slows down.

    python -m tests.support.crowd make /tmp/crowd --copies 25    # a checkout with 25 copies of `feedback`
    python -m tests.support.crowd measure                        # in that checkout, with its own environment

Whatever speaks of the context is copied: its own files, its migration, and the lines that it has in central files.
`nox --session crowd` makes the checkout and runs every check in it; no test does.
"""

import argparse
import asyncio
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from string import ascii_lowercase

import httpx

from tests.support.program import running_program

ROOT = Path(__file__).parents[2]
ORIGINAL = "feedback"
MIGRATIONS = Path("src/omni_core/adapters/postgres/migrations/versions")
SPOKEN = re.compile(rf"(?<![a-z]){ORIGINAL}(?![a-z])", re.IGNORECASE)
# Pages that teach by the original, decisions, and what makes the copies.
LEFT_ALONE = re.compile(
    r"^(docs/howto/|docs/adr/|docs/architecture|README|CONTRIBUTING|tests/support/crowd|noxfile|benchmarks/)"
)
LIMITS = {"import of the command line, CPU ms": 250, "create_app, ms": 400, "a started server, MB": 125}


def make(scratch: Path, copies: int) -> None:
    """Copy the checkout, and in it the context `copies` times."""
    names = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    for name in names:
        (scratch / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, scratch / name)
    heirs = [f"{ORIGINAL}{letter}" for letter in ascii_lowercase[:copies]]
    own = [Path(name) for name in names if ORIGINAL in name and not LEFT_ALONE.match(name)]
    (migration,) = [path for path in own if path.parent == MIGRATIONS]
    for path in own:
        for heir in heirs:
            if path != migration:
                copied = Path(str(path).replace(ORIGINAL, heir))
                _write(scratch / copied, _called((scratch / path).read_text(encoding="utf-8"), heir))
    _copy_migrations(scratch, migration, heirs)
    for name in names:
        if Path(name) not in own and not LEFT_ALONE.match(name):
            _repeat_lines(scratch / name, heirs)
    subprocess.run(["git", "init", "--quiet"], cwd=scratch, check=True)
    subprocess.run(["git", "add", "--all"], cwd=scratch, check=True)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _called(text: str, heir: str) -> str:
    """Return a text about the original as one about a copy, whether its name is a class, a constant or a word."""
    for written in (str.lower, str.upper, str.capitalize):
        text = text.replace(written(ORIGINAL), written(heir))
    return text


def _copy_migrations(scratch: Path, original: Path, heirs: list[str]) -> None:
    """Chain a migration for each copy behind the last that there is."""
    versions = sorted(path.stem for path in (scratch / MIGRATIONS).glob("[0-9]*.py"))
    last, number = versions[-1], int(versions[-1][:4])
    text = (scratch / original).read_text(encoding="utf-8")
    for heir in heirs:
        number += 1
        revision = f"{number:04d}_{heir}"
        copied = _called(re.sub(r"^revision = .*$", f'revision = "{revision}"', text, flags=re.MULTILINE), heir)
        copied = copied.replace(_called(heir, heir), heir).replace(_called(revision, heir), revision)
        copied = re.sub(r"^down_revision = .*$", f'down_revision = "{last}"', copied, flags=re.MULTILINE)
        _write(scratch / MIGRATIONS / f"{revision}.py", copied)
        last = revision


def _repeat_lines(path: Path, heirs: list[str]) -> None:
    """Let each line of a central file that speaks of the original be followed by those of the copies."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    except UnicodeDecodeError:
        return
    if not any(map(SPOKEN.search, lines)):
        return
    if path.name == "pyproject.toml":  # a list of names within a line
        text = "".join(lines).replace(f"({ORIGINAL})", " : ".join(f"({name})" for name in [ORIGINAL, *heirs]))
    else:
        text = "".join(
            line + "".join(_called(line, heir) for heir in heirs) if SPOKEN.search(line) else line for line in lines
        )
    path.write_text(text, encoding="utf-8")


def measure() -> bool:
    """Print what the checkout in the working directory costs; tell whether it is within the limits."""
    figures = dict(_figures())
    for name, value in figures.items():
        sys.stdout.write(f"{name:<40}{value:8.1f}  of at most {LIMITS[name]}\n")
    return all(value <= LIMITS[name] for name, value in figures.items())


def _figures() -> Iterator[tuple[str, float]]:
    yield "import of the command line, CPU ms", _least("import omni_cli.main", "process_time")
    imported = "from omni_http.app import create_app; from omni_core import Settings"
    yield "create_app, ms", _least(f"{imported}; begin(); create_app(Settings())", "perf_counter")
    with tempfile.TemporaryDirectory(prefix="omni-crowd-") as folder:
        home = {"OMNI_HOME": folder, "PATH": os.environ["PATH"]}
        omni = Path(sys.executable).with_name("omni")
        subprocess.run([omni, "db", "upgrade"], env=home, check=True, capture_output=True)
        yield "a started server, MB", asyncio.run(_server_mb(Path(folder)))


def _least(code: str, clock: str) -> float:
    """Return the milliseconds that code takes in a process of its own, the least of five."""
    program = (
        f"import time; began = [time.{clock}()]\n"
        f"def begin(): began[0] = time.{clock}()\n"
        f"{code}\nprint((time.{clock}() - began[0]) * 1000)"
    )
    runs = [
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True) for _ in range(5)
    ]
    return min(float(run.stdout) for run in runs)


async def _server_mb(home: Path) -> float:
    """Return the resident memory of a server that has answered, on the database in `home`."""
    async with running_program(home, {}) as program, httpx.AsyncClient(base_url=program.url) as client:
        counters = (await client.get("/metrics")).raise_for_status().text
    resident = re.search(r"^process_resident_memory_bytes (\S+)$", counters, re.MULTILINE)
    if resident is None:
        raise ValueError("the server does not tell its memory")
    return float(resident[1]) / 1e6


def main() -> int:
    """Run the command line of this module."""
    parser = argparse.ArgumentParser(description="The house with copies of one context.")
    actions = parser.add_subparsers(dest="action", required=True)
    making = actions.add_parser("make")
    making.add_argument("scratch", type=Path)
    making.add_argument("--copies", type=int, default=25, choices=range(1, 26))
    actions.add_parser("measure")
    asked = parser.parse_args()
    if asked.action == "measure":
        return 0 if measure() else 1
    began = time.monotonic()
    make(asked.scratch.resolve(), asked.copies)
    sys.stdout.write(f"{asked.copies} copies in {asked.scratch}, in {time.monotonic() - began:.1f} s\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
