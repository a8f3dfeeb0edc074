"""Which sentence answers a question: BM25 over sentences, with a little of the sentence before.

The score is Okapi BM25 (Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond", Foundations
and Trends in Information Retrieval 3(4), 2009, section 3) with each sentence as a document:

    idf(t) = ln(1 + (N - n(t) + 0.5) / (n(t) + 0.5))
    score  = sum over the question's terms t of  idf(t) * f * (k1 + 1) / (f + k1 * (1 - b + b * length / mean length))

A sentence inherits `CARRIED` of what the sentence before it earns by terms that it lacks itself ("It opened in 1932."),
and `CARRIED_FROM_QUESTION` of it where that one is a question, which is itself never an answer. One that holds what
the question asks for (a number, a name) counts `SUITED` times.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from math import log

import msgspec

from omni_core.adapters.llm.brain.answer_types import AnswerType
from omni_core.adapters.llm.brain.conversation import Sentence
from omni_core.adapters.llm.brain.cues import is_question
from omni_core.adapters.llm.brain.languages import Language
from omni_core.adapters.llm.brain.selection import Candidate
from omni_core.adapters.llm.brain.terms import terms_of

K1 = 1.2
B = 0.75
CARRIED = 0.5
CARRIED_FROM_QUESTION = 0.9
SUITED = 1.25
COVERAGE = 0.4
"""The share of the question's terms that a sentence must hold (carried ones count by their weight) to be an answer."""


class _Bm25:
    def __init__(self, wanted: Sequence[str], sentences: Sequence[Counter[str]]) -> None:
        self._mean_length = sum(count.total() for count in sentences) / len(sentences) or 1.0
        self._idf = {}
        for term in wanted:
            holding = sum(term in count for count in sentences)
            self._idf[term] = log(1 + (len(sentences) - holding + 0.5) / (holding + 0.5))

    def earned(self, count: Counter[str]) -> dict[str, float]:
        """Return what each of the question's terms that a sentence holds adds to its score."""
        length = 1 - B + B * count.total() / self._mean_length
        return {
            term: idf * count[term] * (K1 + 1) / (count[term] + K1 * length)
            for term, idf in self._idf.items()
            if term in count
        }


class _Standing(msgspec.Struct, frozen=True):
    score: float
    covered: float

    @classmethod
    def of(cls, own: Mapping[str, float], before: Mapping[str, float], factor: float) -> "_Standing":
        carried = [earned for term, earned in before.items() if term not in own]
        return cls(sum(own.values()) + factor * sum(carried), len(own) + factor * len(carried))


def rank(question: str, material: Sequence[Sentence], language: Language) -> list[Candidate]:
    """Return the sentences that answer a question well enough to be shown, best first; of equals the earlier first."""
    wanted = list(dict.fromkeys(terms_of(question, language)))
    if not wanted or not material:
        return []
    counts = [Counter(terms_of(sentence.text, language)) for sentence in material]
    bm25 = _Bm25(wanted, counts)
    kind = AnswerType.of(question)
    found: list[Candidate] = []
    before: dict[str, float] = {}
    factor = 0.0
    for place, (sentence, count) in enumerate(zip(material, counts, strict=True)):
        own = bm25.earned(count)
        follows = place > 0 and material[place - 1].message == sentence.message
        standing = _Standing.of(own, before if follows else {}, factor)
        asks = is_question(sentence.text)
        if not asks and standing.covered >= COVERAGE * len(wanted):
            suited = kind.suits(sentence.text, wanted, language)
            found.append(Candidate(place, standing.score * (SUITED if suited else 1.0), frozenset(count)))
        before, factor = own, CARRIED_FROM_QUESTION if asks else CARRIED
    return sorted(found, key=lambda candidate: (-candidate.score, candidate.place))
