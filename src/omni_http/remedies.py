"""What to do about a problem: the text of its section in `docs/problems`, which a wheel holds as `problem_pages`."""

import re
from functools import cache
from pathlib import Path

_INSTALLED = Path(__file__).with_name("problem_pages")
_CHECKED_OUT = Path(__file__).parents[2] / "docs" / "problems"
_SECTION = re.compile(r"^## (?P<code>[a-z._]+)\n\n\*\*.+\n\n(?P<text>(?:(?!## ).*\n?)+)", re.MULTILINE)
_LINK = re.compile(r"\[([^\]]+)\]\([^)]+\)")


def remedy_of(code: str) -> str:
    """Return what the page of a code says to do, a paragraph a line, without links; "" where there is no section."""
    return _remedies().get(code, "")


@cache
def _remedies() -> dict[str, str]:
    pages = sorted((_INSTALLED if _INSTALLED.is_dir() else _CHECKED_OUT).glob("*.md"))
    return {
        section["code"]: _plain(section["text"])
        for page in pages
        for section in _SECTION.finditer(page.read_text(encoding="utf-8"))
    }


def _plain(text: str) -> str:
    return "\n".join(" ".join(part.split()) for part in _LINK.sub(r"\1", text).strip().split("\n\n"))
