"""Choosing several sentences that do not say the same thing.

Maximal marginal relevance (Carbonell and Goldstein, "The Use of MMR, Diversity-Based Reranking for Reordering Documents
and Producing Summaries", SIGIR 1998): the next sentence is the one with the greatest

    LAMBDA * score / best score - (1 - LAMBDA) * greatest similarity to a sentence chosen before

where the similarity of two sentences is the cosine of their sets of terms.
"""

from collections.abc import Sequence
from math import sqrt

import msgspec

LAMBDA = 0.7
SAME = 0.8
"""The similarity from which one of two sentences is taken to repeat the other."""


class Candidate(msgspec.Struct, frozen=True):
    """A sentence that may be used: its place in the material, its score (0 or more), its terms."""

    place: int
    score: float
    terms: frozenset[str]


def choose(candidates: Sequence[Candidate], limit: int) -> list[int]:
    """Return the places of at most `limit` candidates, in the order of the text; near repetitions are left out."""
    best = max((candidate.score for candidate in candidates), default=0.0) or 1.0
    left = sorted(candidates, key=lambda candidate: (-candidate.score, candidate.place))
    nearest = dict.fromkeys((candidate.place for candidate in left), 0.0)
    chosen: list[int] = []
    while left and len(chosen) < limit:
        taken = max(left, key=lambda one: LAMBDA * one.score / best - (1 - LAMBDA) * nearest[one.place])
        chosen.append(taken.place)
        for candidate in left:
            nearest[candidate.place] = max(nearest[candidate.place], similarity(candidate.terms, taken.terms))
        left = [one for one in left if one is not taken and nearest[one.place] < SAME]
    return sorted(chosen)


def similarity(one: frozenset[str], other: frozenset[str]) -> float:
    """Return the cosine of two sets of terms: 0 for nothing in common, 1 for the same."""
    return len(one & other) / sqrt(len(one) * len(other)) if one and other else 0.0
