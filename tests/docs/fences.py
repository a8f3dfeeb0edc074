"""The pages that people read, and the code blocks in them."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[2]
# An HTML comment right above a Python block asks for it to be executed, not only compiled.
RUN_MARK = "<!-- run -->"


class Fence(msgspec.Struct, frozen=True):
    """A fenced code block: where it begins, its language, its text, and whether it asks to be executed."""

    page: Path
    line: int
    language: str
    text: str
    runs: bool

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT).as_posix()}:{self.line}"


def pages() -> list[Path]:
    return sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def fences() -> Iterator[Fence]:
    for page in pages():
        runs = False
        for token in MarkdownIt().parse(page.read_text(encoding="utf-8")):
            if token.type == "fence" and token.map is not None:
                language = (token.info.split() or ["text"])[0]
                yield Fence(page, token.map[0] + 1, language, token.content, runs)
            runs = token.type == "html_block" and token.content.strip() == RUN_MARK
