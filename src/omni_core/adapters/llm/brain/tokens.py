"""omni-brain's tokens: what counts as one, where an answer may be cut, how it is streamed.

A token is the first of these that matches, and white space counts for nothing:

1. a word: up to 16 letters with their combining marks, once joined by an apostrophe to up to 16 more (`don't`);
2. a number: up to 16 digits, joined by `.` or `,` to at most three more such groups (`1,234.5`);
3. one character of a script that writes no spaces or is dense (Han, kana, Hangul, Thai, Lao, Burmese, Khmer);
4. any other single character that is not white space, with its combining marks.

The pattern looks neither ahead nor behind, so counts add up: the pieces of a text that was cut where a token ends have
together exactly as many tokens as the text.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import pairwise

from omni_core.domain.llm.model import Message

MESSAGE_OVERHEAD = 3
"""Tokens that each message costs beside its words: its role, its beginning and its end."""

UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uac00-\ud7af\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff"
)
"""The third rule's characters, written as the inside of a regular expression's class."""


def _marks() -> str:
    # The module `re` has no class for combining marks. These blocks hold those of the basic plane; the ones
    # between them (ideographs and Hangul) hold none, and leaving them out makes the import ten times quicker.
    blocks = (range(0x0300, 0x2100), range(0x302A, 0x309B), range(0xA66F, 0xAC00), range(0xFB1E, 0xFE30))
    return "".join(chr(code) for block in blocks for code in block if unicodedata.category(chr(code))[0] == "M")


_JOINERS = "\u200c\u200d"
_MARK = f"[{re.escape(_marks())}{_JOINERS}]"
_LETTER = rf"[^\W\d_{UNSPACED}]"
_LETTERS = rf"{_LETTER}(?:{_LETTER}|{_MARK}){{0,15}}"
_TOKEN = re.compile(
    rf"{_LETTERS}(?:['\u2019]{_LETTERS})?"
    rf"|\d{{1,16}}(?:[.,]\d{{1,16}}){{0,3}}"
    rf"|\S{_MARK}{{0,15}}"
)


def _ends(text: str) -> Iterator[int]:
    return (match.end() for match in _TOKEN.finditer(text))


def count_tokens(text: str) -> int:
    """Return how many tokens a text has."""
    return sum(1 for _ in _TOKEN.finditer(text))


def count_messages(messages: Iterable[Message]) -> int:
    """Return the input tokens of a conversation: words, names and tool calls, and each message's overhead."""
    return sum(
        MESSAGE_OVERHEAD
        + count_tokens(message.text)
        + count_tokens(message.name or "")
        + sum(count_tokens(call.name) + count_tokens(call.arguments) for call in message.tool_calls)
        for message in messages
    )


def first_tokens(text: str, limit: int) -> str:
    """Return the text up to the end of its token number `limit`, or all of it where it has no more than that."""
    ends = list(_ends(text))
    return text if len(ends) <= limit else text[: ends[limit - 1]]


def pieces(text: str, size: int) -> Iterator[str]:
    """Cut a text where tokens end, into pieces of `size` tokens; the last takes what is left. None is empty."""
    cuts = [0, *list(_ends(text))[size - 1 : -1 : size], len(text)]
    return (text[start:end] for start, end in pairwise(cuts) if start < end)
