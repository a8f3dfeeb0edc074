"""How long the tests of each context take, printed at the end of a run: loaded by tests/conftest.py.

What tests share is counted where it is first asked for: the start of PostgreSQL belongs to whoever needs it first.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from pathlib import Path, PurePosixPath

import pytest

DOMAIN = Path(__file__).parents[2] / "src" / "omni_core" / "domain"


def pytest_configure(config: pytest.Config) -> None:
    """Start to count. With several test processes, their reports come to the one that prints."""
    contexts = {path.stem for path in DOMAIN.iterdir() if not path.name.startswith("_")}
    config.pluginmanager.register(SecondsOfContexts(contexts))


class SecondsOfContexts:
    """Adds up setup, call and teardown of every test, by the context that it tests."""

    def __init__(self, contexts: Collection[str]) -> None:
        self._contexts = contexts
        self._seconds: defaultdict[str, float] = defaultdict(float)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count one phase of one test."""
        self._seconds[context_of(report.nodeid.partition("::")[0], self._contexts)] += report.duration

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print a line for each context, the slowest first, and their sum."""
        if self._seconds:
            terminalreporter.section("seconds by context")
            for line in table(self._seconds):
                terminalreporter.write_line(line)


def context_of(path: str, contexts: Collection[str]) -> str:
    """Return the context that a folder or the file of a test is named after, or else its first folder below tests/."""
    parts = PurePosixPath(path).parts
    *folders, file = parts[1:] if parts[0] == "tests" else parts
    words = PurePosixPath(file).stem.removeprefix("test_").split("_")
    of_file = ["_".join(words[:count]) for count in range(len(words), 0, -1)]
    return next((name for name in [*folders, *of_file] if name in contexts), folders[0] if folders else "tests")


def table(seconds: Mapping[str, float]) -> list[str]:
    """Return a line for each context, the slowest first, and their sum."""
    rows = sorted(seconds.items(), key=lambda row: (-row[1], row[0]))
    return [f"{spent:9.2f}  {name}" for name, spent in [*rows, ("in all", sum(seconds.values()))]]
