"""What a question's terms are met by in a text: the term itself, a synonym of it, or a word of the same family."""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import cache
from itertools import pairwise, takewhile

import msgspec

from omni_core.adapters.llm.brain.languages import Language
from omni_core.adapters.llm.brain.synonyms import LIGHT, groups
from omni_core.adapters.llm.brain.terms import stem, terms_of

SYNONYM = 0.8
FAMILY = 0.7
"""What a term counts where a synonym meets it, and where a word that begins alike does (`maintain`, `maintenance`)."""
LIGHT_WEIGHT = 0.3
"""What a word weighs that says little of what is asked (`How do I get …?`); others weigh 1."""
COMPOUND = 0.7
"""What a term keeps of its weight beside a neighbour that it has in the text as well: `cable car` is one thing."""
_SHARED = 5
_OWN = 4
"""Words of a family share this many letters at least, and neither has more than so many of its own."""


class Want(msgspec.Struct, frozen=True):
    """A term of the question: what it weighs, and each form that meets it, with how much that counts (up to 1)."""

    term: str
    weight: float
    forms: dict[str, float]
    is_name: bool

    def met_by(self, terms: Iterable[str]) -> float:
        """Return how well any of some terms meets this one, 0 where none does."""
        return max((self.forms.get(term, 0.0) for term in terms), default=0.0)


def wants(question: str, text: Sequence[Sequence[str]], language: Language) -> list[Want]:
    """Return the terms of a question, each once, with the forms of it that a text has. `text` is sentences of terms."""
    terms = list(dict.fromkeys(terms_of(question, language)))
    vocabulary = {term for sentence in text for term in sentence}
    families = _families(terms, vocabulary)
    synonyms, light, names = _synonyms(language), _light(language), _names(question, language)
    compounds = _compounds(terms, text)
    found = []
    for term in terms:
        forms = dict.fromkeys(families.get(term, ()), FAMILY)
        forms |= dict.fromkeys(synonyms.get(term, frozenset()) & vocabulary, SYNONYM)
        # A word of the question stands for itself alone: `test` is no second hit for `examine` beside it.
        forms = {form: counts for form, counts in forms.items() if form not in terms} | {term: 1.0}
        weight = (LIGHT_WEIGHT if term in light else 1.0) * COMPOUND ** compounds.count(term)
        found.append(Want(term, weight, forms, term in names))
    return found


def _compounds(terms: Sequence[str], text: Sequence[Sequence[str]]) -> list[str]:
    pairs = set(pairwise(terms))
    there = {pair for sentence in text for pair in pairwise(sentence) if pair in pairs}
    return [term for pair in there for term in pair]


def _names(question: str, language: Language) -> frozenset[str]:
    # German writes every noun with a capital, so that it shows no name.
    words = question.split()
    later = [] if language.code == "de" else words[1:]
    named = [word for word in later if any(letter.isupper() for letter in word) and len(word) > 1]
    named += [word for word in words if any(letter.isdigit() for letter in word)]
    return frozenset(term for word in named for term in terms_of(word, language))


def _families(terms: Sequence[str], vocabulary: AbstractSet[str]) -> Mapping[str, list[str]]:
    beginnings: dict[str, list[str]] = {}
    for term in terms:
        if len(term) >= _SHARED and term.isalpha():
            beginnings.setdefault(term[:_SHARED], []).append(term)
    families: dict[str, list[str]] = {}
    for word in vocabulary if beginnings else ():
        for term in beginnings.get(word[:_SHARED], ()):
            if word != term and max(len(word), len(term)) - _alike(word, term) <= _OWN:
                families.setdefault(term, []).append(word)
    return families


def _alike(one: str, other: str) -> int:
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


@cache
def _light(language: Language) -> frozenset[str]:
    return frozenset(stem(word, language) for word in LIGHT.get(language.code, "").split())


@cache
def _synonyms(language: Language) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for group in groups(language.code):
        stems = {stem(word, language) for word in group}
        for one in stems:
            found.setdefault(one, set()).update(stems - {one})
    return {one: frozenset(others) for one, others in found.items()}
