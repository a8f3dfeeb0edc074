"""Which sentences stand for a text: TextRank.

Mihalcea and Tarau, "TextRank: Bringing Order into Texts" (EMNLP 2004): sentences vote for those that share terms with
them, and a vote weighs as much as its sentence. With the terms S of two sentences,

    similarity = |S1 and S2| / (ln |S1| + ln |S2|)
    rank(i) = (1 - d) + d * sum of rank(j) * w(j, i) / sum of w(j, k)

The graph grows with the square of the sentences, so it is drawn over at most `GRAPH` of them: those nearest to the
text's centroid (Radev et al., "Centroid-based Summarization of Multiple Documents", 2004), which takes linear time.
"""

from collections import Counter
from collections.abc import Sequence
from itertools import combinations
from math import log

from omni_core.adapters.llm.brain.conversation import Sentence
from omni_core.adapters.llm.brain.cues import is_question
from omni_core.adapters.llm.brain.languages import Language
from omni_core.adapters.llm.brain.selection import Candidate
from omni_core.adapters.llm.brain.terms import terms_of

DAMPING = 0.85
GRAPH = 200
_ROUNDS = 50
_STILL = 1e-4


def central(material: Sequence[Sentence], language: Language) -> list[Candidate]:
    """Return the sentences with their rank as score, in the order of the text; questions are left out."""
    counts = {
        place: Counter(terms_of(sentence.text, language))
        for place, sentence in enumerate(material)
        if not is_question(sentence.text)
    }
    places = sorted(_nearest_to_centroid(counts))
    terms = [frozenset(counts[place]) for place in places]
    ranks = _ranks(terms)
    return [Candidate(place, rank, own) for place, rank, own in zip(places, ranks, terms, strict=True)]


def _nearest_to_centroid(counts: dict[int, Counter[str]]) -> list[int]:
    if len(counts) <= GRAPH:
        return list(counts)
    frequency = Counter(term for count in counts.values() for term in count)
    # A term's weight in the centroid is its tf * idf; a term of one sentence only says nothing of the whole.
    weight = {term: times * log(len(counts) / times) for term, times in frequency.items() if times > 1}
    nearness = {
        place: sum(weight.get(term, 0.0) for term in count) / (len(count) ** 0.5 or 1.0)
        for place, count in counts.items()
    }
    return sorted(counts, key=lambda place: (-nearness[place], place))[:GRAPH]


def _ranks(terms: Sequence[frozenset[str]]) -> list[float]:
    links = _links(terms)
    strength = [sum(neighbours.values()) for neighbours in links]
    ranks = [1.0] * len(terms)
    for _ in range(_ROUNDS):
        renewed = [
            (1 - DAMPING) + DAMPING * sum(ranks[j] * weight / strength[j] for j, weight in neighbours.items())
            for neighbours in links
        ]
        moved = max((abs(new - old) for new, old in zip(renewed, ranks, strict=True)), default=0.0)
        ranks = renewed
        if moved < _STILL:
            break
    return ranks


def _links(terms: Sequence[frozenset[str]]) -> list[dict[int, float]]:
    links: list[dict[int, float]] = [{} for _ in terms]
    for (i, one), (j, other) in combinations(enumerate(terms), 2):
        shared = len(one & other)
        if shared and len(one) > 1 and len(other) > 1:
            links[i][j] = links[j][i] = shared / (log(len(one)) + log(len(other)))
    return links
