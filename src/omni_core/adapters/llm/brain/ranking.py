"""Which sentences answer a question: what of it each one meets, weighed by BM25 and by what the question asks for.

`strength` is Okapi BM25 (Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond", Foundations
and Trends in Information Retrieval 3(4), 2009, section 3) with each sentence as a document:

    idf(t)   = ln(1 + (N - n(t) + 0.5) / (n(t) + 0.5)), divided by that of a term that one sentence has
    strength = sum over the question's terms t of
               weight(t) * met(t) * idf(t) * (k1 + 1) / (1 + k1 * (1 - b + b * length / mean length))

A sentence that goes on from the one before it (`It opened in 1932.`) inherits `CARRIED` of what that one meets and it
does not; the answer to a question in the text inherits `CARRIED_FROM_QUESTION`, and every sentence
`CARRIED_FROM_HEADING` of the heading above it. A question is itself never an answer.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from math import log
from operator import mul

import msgspec

from omni_core.adapters.llm.brain.answer_types import Asked
from omni_core.adapters.llm.brain.conversation import Sentence
from omni_core.adapters.llm.brain.cues import is_question
from omni_core.adapters.llm.brain.languages import Language
from omni_core.adapters.llm.brain.matching import Want, wants
from omni_core.adapters.llm.brain.selection import Candidate
from omni_core.adapters.llm.brain.support import ENOUGH, Evidence, odds
from omni_core.adapters.llm.brain.terms import terms_of

K1 = 1.2
B = 0.75
CARRIED = 0.5
CARRIED_FROM_QUESTION = 0.9
CARRIED_FROM_HEADING = 0.3
_LONGEST_HEADING = 8
_ENDS = (".", "!", "?", ";", ",", "\u2026", ")", "\u3002")
_GOES_ON = re.compile(
    r"(?:it|its|this|these|that|those|they|their|he|his|she|her|there|er|sie|es|dies|diese[rs]?|il|elle|ils|elles|él|ella|"
    r"ellos|esto|esso|essa|questo|ele|ela|isto)\b",
    re.IGNORECASE,
)

_Met = Mapping[int, float]
"""What a sentence meets: the place of a want among the question's, and how well it is met."""


class Weighed(msgspec.Struct, frozen=True):
    """A sentence that could answer: its place in the material, what speaks for it, and its terms."""

    place: int
    evidence: Evidence
    terms: frozenset[str]


def rank(question: str, material: Sequence[Sentence], language: Language) -> list[Candidate]:
    """Return the sentences that answer a question well enough to be shown, best first; of equals the earlier first."""
    candidates = [Candidate(one.place, odds(one.evidence), one.terms) for one in weigh(question, material, language)]
    enough = [candidate for candidate in candidates if candidate.score >= ENOUGH]
    return sorted(enough, key=lambda candidate: (-candidate.score, candidate.place))


def weigh(question: str, material: Sequence[Sentence], language: Language) -> list[Weighed]:
    """Return what speaks for each sentence that could answer a question, in the order of the text."""
    text = [terms_of(sentence.text, language) for sentence in material]
    wanted = wants(question, text, language)
    if not any(want.weight for want in wanted) or not material:
        return []
    own = _own(wanted, text)
    scales = _Scales(wanted, own, text)
    asked = Asked(question, wanted, language)
    found = []
    for place, met in enumerate(_with_carried(own, material)):
        sentence = material[place].text
        suited = bool(met) and asked.suits(sentence, text[place])
        if met and (suited or not asked.strictly) and not is_question(sentence):
            evidence = Evidence(
                *scales.of(met, len(text[place])),
                missing_name=float(scales.misses_name),
                suited=float(suited),
                nameless=float(asked.wants_name and not suited),
                wayless=float(asked.wants_way and not suited),
                heading=float(_is_heading(sentence)),
            )
            found.append(Weighed(place, evidence, frozenset(text[place])))
    return found


class _Scales:
    """The weights of a question's terms in a text."""

    def __init__(self, wanted: Sequence[Want], own: Sequence[_Met], text: Sequence[Sequence[str]]) -> None:
        holding = Counter(place for met in own for place in met)
        self._weight = [want.weight for want in wanted]
        self._rarity = [_idf(holding[place], len(text)) / _idf(1, len(text)) for place in range(len(wanted))]
        self._total = sum(self._weight)
        self._rare_total = sum(map(mul, self._weight, self._rarity))
        self._mean_length = sum(map(len, text)) / len(text) or 1.0
        self.misses_name = any(want.is_name and not holding[place] for place, want in enumerate(wanted))

    def of(self, met: _Met, length: int) -> tuple[float, float, float]:
        """Return `covered`, `rare_covered` and `strength` of a sentence with so many terms."""
        covered = {place: self._weight[place] * how_well for place, how_well in met.items()}
        rare = sum(weight * self._rarity[place] for place, weight in covered.items())
        frequency = (K1 + 1) / (1 + K1 * (1 - B + B * length / self._mean_length))
        return sum(covered.values()) / self._total, rare / self._rare_total, rare * frequency


def _idf(holding: int, sentences: int) -> float:
    return log(1 + (sentences - holding + 0.5) / (holding + 0.5))


def _own(wanted: Sequence[Want], text: Sequence[Sequence[str]]) -> list[_Met]:
    forms: dict[str, list[tuple[int, float]]] = {}
    for place, want in enumerate(wanted):
        for form, counts in want.forms.items():
            forms.setdefault(form, []).append((place, counts))
    return [_better(hit for term in terms for hit in forms.get(term, ())) for terms in text]


def _better(hits: Iterable[tuple[int, float]]) -> _Met:
    best: dict[int, float] = {}
    for place, counts in hits:
        best[place] = max(best.get(place, 0.0), counts)
    return best


def _with_carried(own: Sequence[_Met], material: Sequence[Sentence]) -> Iterator[_Met]:
    heading: _Met = {}
    before: _Met = {}
    for place, (met, sentence) in enumerate(zip(own, material, strict=True)):
        share = 0.0
        if place == 0 or material[place - 1].message != sentence.message:
            heading = {}
        else:
            share = _carried(material[place - 1].text, sentence.text)
        carried = [(before, share), (heading, CARRIED_FROM_HEADING)]
        inherited = ((which, how_well * part) for there, part in carried if part for which, how_well in there.items())
        yield _better(chain(met.items(), inherited))
        heading, before = (met if _is_heading(sentence.text) else heading), met


def _carried(before: str, sentence: str) -> float:
    if is_question(before):
        return CARRIED_FROM_QUESTION
    return CARRIED if _GOES_ON.match(sentence) else 0.0


def _is_heading(sentence: str) -> bool:
    return not sentence.endswith(_ENDS) and len(sentence.split()) <= _LONGEST_HEADING
