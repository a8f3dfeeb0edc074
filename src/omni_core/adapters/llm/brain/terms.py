"""Terms: what two sentences are compared by.

Words in folded case and without Latin accents, without stop words, lightly stemmed (after Harman, "How Effective Is
Suffixing?", JASIS 42(1), 1991, and Savoy, "Light Stemming Approaches", SAC 2006); numbers without the commas in them;
in scripts without spaces each pair of neighbouring characters, pairs of hiragana excepted (they are mostly grammar).
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from omni_core.adapters.llm.brain.languages import Language
from omni_core.adapters.llm.brain.number_words import with_digits
from omni_core.adapters.llm.brain.synonyms import PHRASES
from omni_core.adapters.llm.brain.tokens import UNSPACED

_SHORTEST_STEM = 3
_LONGEST_TERM = 40
_ACCENTS = re.compile("[\u0300-\u036f]")
_DROPPED = re.compile(r"^\d{1,3}[.)] |(?<=\d)(?:,(?=\d{3})|(?:st|nd|rd|th)\b)")
"""The number of an item, the commas in numbers, and what makes an ordinal of one."""
_RUN = re.compile(rf"\d+(?:\.\d+)?|[^\W\d_{UNSPACED}]+|[{UNSPACED}]+")
_UNSPACED = re.compile(f"[{UNSPACED}]")
_GRAMMAR = re.compile("[\u3040-\u309f]{2}")
_NO_PLURAL = ("ss", "us")
_TO_Y = ("ies", "ied")
_VOWEL = re.compile("[aeiouyà-üœ]")
_NO_PHRASES: dict[str, list[tuple[list[str], str]]] = {}
_DOUBLED = re.compile(r"([bdgmnprt])\1$")


def words_of(text: str) -> list[str]:
    """Return the words of a text in folded case, accents kept; runs of a script without spaces count as one."""
    return _RUN.findall(unicodedata.normalize("NFKC", text).casefold())


def terms_of(text: str, language: Language) -> list[str]:
    """Return the terms of a text in their order, repetitions included."""
    plain = text if text.isascii() else unicodedata.normalize("NFKC", text)
    runs = _RUN.findall(_DROPPED.sub("", plain.casefold()))
    return list(_terms(with_digits(_phrases_joined(runs, language.code), language.code), language))


def _phrases_joined(runs: Sequence[str], code: str) -> Iterator[str]:
    phrases = _PHRASES.get(code, _NO_PHRASES)
    taken = 0
    for place, run in enumerate(runs):
        if place < taken:
            continue
        found = (one for one in phrases.get(run, ()) if runs[place + 1 : place + 1 + len(one[0])] == one[0])
        rest, word = next(found, ([], run))
        taken = place + 1 + len(rest)
        yield word


def _by_first_word(phrases: dict[str, str]) -> dict[str, list[tuple[list[str], str]]]:
    found: dict[str, list[tuple[list[str], str]]] = {}
    for phrase, word in phrases.items():
        first, *rest = phrase.split()
        found.setdefault(first, []).append((rest, word))
    return found


_PHRASES = {code: _by_first_word(phrases) for code, phrases in PHRASES.items()}


def _terms(runs: Iterable[str], language: Language) -> Iterator[str]:
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
