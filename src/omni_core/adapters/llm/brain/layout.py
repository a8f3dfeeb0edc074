"""Lines: which of them belong together, and what at their beginning is mark-up rather than words."""

import re
from collections.abc import Iterator
from itertools import pairwise

_NARROWEST_WRAP = 40
_BULLET = re.compile(r"\s*(?:(?:[-*•·‣+>|]|#{1,6})\s+)+")
_MARKER = re.compile(r"\s*(?:[-*•·‣+>|]\s|#{1,6}\s|\d{1,3}[.)]\s|[A-Za-z]\)\s)")
_CONTINUES = (",", ";")


def blocks(text: str) -> Iterator[str]:
    """Yield the stretches of a text that a sentence may span, without bullets and without empty ones.

    An empty line, or a line that begins an item, always begins a block. Other line breaks end one too, unless the lines
    were wrapped to a width (each is so full that the next line's first word would not have fitted) or a line ends in a
    comma or a semicolon.
    """
    for item in _items(text):
        for block in _joined(item):
            bullet = _BULLET.match(block)
            words = block[bullet.end() if bullet else 0 :].strip()
            if words:
                yield words


def _items(text: str) -> Iterator[list[str]]:
    item: list[str] = []
    for line in text.splitlines(keepends=True):
        if item and (not line.strip() or _MARKER.match(line)):
            yield item
            item = []
        if line.strip():
            item.append(line)
    if item:
        yield item


def _joined(lines: list[str]) -> Iterator[str]:
    wrapped = _are_wrapped(lines)
    current = lines[0]
    for line, following in pairwise(lines):
        if wrapped or line.rstrip().endswith(_CONTINUES):
            current += following
        else:
            yield current
            current = following
    yield current


def _are_wrapped(lines: list[str]) -> bool:
    width = max(len(line.rstrip()) for line in lines)
    return width >= _NARROWEST_WRAP and all(
        len(line.rstrip()) + 1 + len(following.split(None, 1)[0]) > width for line, following in pairwise(lines)
    )
