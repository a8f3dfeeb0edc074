"""Nothing central bursts: a new context is found by its name, and asks for few lines outside of its own files."""

import re
import subprocess
from collections.abc import Mapping

import pytest

from tests.architecture.test_layout import ROOT, contexts

MOST_LINES = 6
MOST_FILES = 6
# The slice with which the house began, and the engine of events, which the kernel knows by name.
OLDER = {"billing", "budgets", "events", "jobs", "llm", "metering", "pricing", "tenancy"}
# Pages that teach by example, decisions, and tests of the whole may speak of any context. The map of floors names all
# of the finished house, built or not, and a migration the one before it.
ABOUT_ALL = re.compile(
    r"^(docs/howto/|docs/adr/|tests/architecture/|README\.md$|pyproject\.toml$|tests/support/crowd|src/.*/migrations/versions/)"
)


def house() -> dict[str, str]:
    """Return the text of every file of the project by its path."""
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    return {
        name: (ROOT / name).read_text(encoding="utf-8", errors="replace") for name in names if (ROOT / name).exists()
    }


def central_lines(context: str, texts: Mapping[str, str]) -> dict[str, int]:
    """Return how many lines speak of a context in each file that is not its own."""
    spoken = re.compile(rf"(?<![a-z]){context}(?![a-z])", re.IGNORECASE)
    counts = {
        name: sum(1 for line in text.splitlines() if spoken.search(line))
        for name, text in texts.items()
        if context not in name and not ABOUT_ALL.match(name)
    }
    return {name: count for name, count in counts.items() if count}


@pytest.mark.parametrize("context", sorted(set(contexts()) - OLDER))
def test_a_context_has_few_lines_in_few_central_files(context: str) -> None:
    found = central_lines(context, house())
    assert found
    assert sum(found.values()) <= MOST_LINES, found
    assert len(found) <= MOST_FILES, found


def test_a_line_outside_of_a_contexts_own_files_is_counted() -> None:
    texts = {
        "src/omni_core/domain/rooms/model.py": "rooms, and rooms again",
        "src/omni_http/app.py": "from omni_http.controllers.rooms import RoomsController\nROOMS_READ\nclassrooms\n",
        "docs/howto/add-a-context.md": "such as rooms",
        "docs/index.md": "| [rooms](contexts/rooms.md) | where people meet |",
    }
    assert central_lines("rooms", texts) == {"src/omni_http/app.py": 2, "docs/index.md": 1}
