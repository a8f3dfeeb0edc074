"""Terms: what two sentences are compared by.

Words in folded case and without Latin accents, without stop words, lightly stemmed (after Harman, "How Effective Is
Suffixing?", JASIS 42(1), 1991, and Savoy, "Light Stemming Approaches", SAC 2006); numbers without the commas in them;
in scripts without spaces each pair of neighbouring characters, pairs of hiragana excepted (they are mostly grammar).
"""

import re
import unicodedata
from collections.abc import Iterator
from itertools import pairwise

from omni_core.adapters.llm.brain.languages import Language
from omni_core.adapters.llm.brain.tokens import UNSPACED

_SHORTEST_STEM = 3
_LONGEST_TERM = 40
_ACCENTS = re.compile("[\u0300-\u036f]")
_GROUPED = re.compile(r"(?<=\d),(?=\d{3})")
_RUN = re.compile(rf"\d+(?:\.\d+)?|[^\W\d_{UNSPACED}]+|[{UNSPACED}]+")
_UNSPACED = re.compile(f"[{UNSPACED}]")
_GRAMMAR = re.compile("[\u3040-\u309f]{2}")
_NO_PLURAL = ("ss", "us")
_TO_Y = ("ies", "ied")
_VOWEL = re.compile("[aeiouyà-üœ]")
_DOUBLED = re.compile(r"([bdgmnprt])\1$")


def words_of(text: str) -> list[str]:
    """Return the words of a text in folded case, accents kept; runs of a script without spaces count as one."""
    return _RUN.findall(unicodedata.normalize("NFKC", text).casefold())


def terms_of(text: str, language: Language) -> list[str]:
    """Return the terms of a text in their order, repetitions included."""
    plain = text if text.isascii() else unicodedata.normalize("NFKC", text)
    return list(_terms(_RUN.findall(_GROUPED.sub("", plain.casefold())), language))


def _terms(runs: list[str], language: Language) -> Iterator[str]:
    for run in runs:
        if _UNSPACED.match(run):
            yield from (run,) if len(run) == 1 else _pairs(run)
        elif run not in language.stop_words and (len(run) > 1 or run.isdigit()):
            yield stem(run, language)[:_LONGEST_TERM]


def _pairs(run: str) -> Iterator[str]:
    return (one + two for one, two in pairwise(run) if not _GRAMMAR.fullmatch(one + two))


def stem(word: str, language: Language) -> str:
    """Return a word without its endings, so that most forms of a word come out alike. It need not be a word."""
    word = language.irregular.get(word, word)
    for endings in language.endings:
        word = _without(word, endings)
    word = _DOUBLED.sub(r"\1", word)
    if len(word) > _SHORTEST_STEM and word[-1] in "ey":
        word = word[:-1] + ("i" if word[-1] == "y" else "")
    return word if word.isascii() else _ACCENTS.sub("", unicodedata.normalize("NFKD", word))


def _without(word: str, endings: tuple[str, ...]) -> str:
    if word.endswith(_NO_PLURAL):
        return word
    for ending in endings:
        if word.endswith(ending):
            rest = word[: -len(ending)]
            if len(rest) < _SHORTEST_STEM or not _VOWEL.search(rest):
                return word
            return rest + "i" if ending in _TO_Y else rest
    return word
