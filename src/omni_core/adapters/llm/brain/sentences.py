"""Sentences: where one ends and the next begins, in running text, lists and hard-wrapped lines.

Each sentence is a verbatim stretch of the text. A full stop is judged by the word before it and the word after it, in
the manner of Kiss and Strunk, "Unsupervised Multilingual Sentence Boundary Detection" (Computational Linguistics
32(4), 2006), but from fixed lists: what a text means to a caller must not depend on what else was seen.
"""

import re
from collections.abc import Iterator

from omni_core.adapters.llm.brain.abbreviations import CLOSING, MONTHS, NUMBERED, OPENING, STARTERS
from omni_core.adapters.llm.brain.layout import blocks

LONGEST = 2_000
"""Characters: a sentence that is longer is cut at white space, so that a text without full stops stays workable."""

_CJK_STOPS = "。！？｡।॥؟۔።။"  # noqa: RUF001 - these are the stops of the scripts in question
_END = re.compile(
    rf"(?P<stop>[.!?…]+)[\"'”’»)\]]*(?:\[\d{{1,3}}\])*|[{_CJK_STOPS}]+[」』”’）)\]\"']*"  # noqa: RUF001
)
_WORD_BEFORE = re.compile(r"[^\s(\[\"'“„«]*$")
_WORD_AFTER = re.compile(r"[\s\"'“„«(\[]*(\S{0,40})")
_INITIALS = re.compile(r"(?:[^\W\d_]\.)*[^\W\d_]")
_QUOTING = "とって"
_REACH = 24


def split(text: str) -> list[str]:
    """Return the sentences of a text, in order, each without the white space around it."""
    return [sentence for block in blocks(text) for sentence in _of_block(block) if sentence]


def _of_block(block: str) -> Iterator[str]:
    # Where nobody wrote a capital letter, a small one after a full stop says nothing.
    lower_case = block == block.lower()
    start = 0
    for end in _END.finditer(block):
        if _ends_sentence(block, end, start, lower_case=lower_case):
            yield from _cut(block[start : end.end()].strip())
            start = end.end()
    yield from _cut(block[start:].strip())


def _ends_sentence(block: str, end: re.Match[str], start: int, *, lower_case: bool) -> bool:
    stop = end["stop"]
    if stop is None:
        return not block.startswith(tuple(_QUOTING), end.end())
    if end.end() < len(block) and not block[end.end()].isspace():
        return False
    following = _WORD_AFTER.match(block, end.end())
    after = following[1] if following else ""
    if not after:
        return True
    if after[0].islower() and not lower_case:
        return False
    return stop != "." or _full_stop_ends(block, start, end.start(), after)


def _full_stop_ends(block: str, start: int, stop: int, after: str) -> bool:
    found = _WORD_BEFORE.search(block, max(start, stop - _REACH), stop)
    before = found[0] if found else ""
    word, next_word = before.lower(), after.lower().rstrip(".,;:!?")
    if word in OPENING or (word in NUMBERED and after[0].isdigit()):
        return False
    if word.isdigit() and len(word) <= 3:
        # `1.` at the beginning of a line numbers it, `3. Oktober` is a date.
        return bool(block[start : stop - len(word)].strip()) and next_word not in MONTHS
    if word in CLOSING:
        return after[0].isupper()
    if _INITIALS.fullmatch(before) and (before[0].isupper() or "." in before):
        return next_word in STARTERS and after != next_word
    return True


def _cut(sentence: str) -> Iterator[str]:
    while len(sentence) > LONGEST:
        at = max(sentence.rfind(" ", 1, LONGEST), sentence.rfind("\n", 1, LONGEST))
        at = at if at > 0 else LONGEST
        yield sentence[:at].rstrip()
        sentence = sentence[at:].lstrip()
    yield sentence
