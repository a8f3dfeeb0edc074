"""How well a sentence supports being the answer: the measure that ranks sentences, and that lets omni-brain decline.

It is a logistic regression over what can be seen of a question, a sentence and the text around it:

    odds = exp(BIAS + sum of weight * evidence)

fitted by `benchmarks/brain.py --fit` on the questions of `docs/howto/omni-brain/fitting.toml`, and measured on those of
`held-out.toml` beside it. The odds are against the sentences of a text of that size, so that a threshold on them weighs
wrong answers against missed ones; they are no probability that an answer is right.
"""

from math import exp

import msgspec


class Evidence(msgspec.Struct, frozen=True):
    """What speaks for a sentence, each from 0 to 1 but for `strength`.

    `covered` is the share of the question's weight that it meets, `rare_covered` the same with rare terms weighing
    more, `strength` its BM25 in units of a term that only one sentence has. `missing_name` says that a name or a number
    of the question is nowhere in the text, `suited` that the sentence holds what is asked for, `nameless` that it holds
    no name where one is asked for, `wayless` that it tells no way or reason where one is asked for, `heading` that it
    is a heading.
    """

    covered: float
    rare_covered: float
    strength: float
    missing_name: float
    suited: float
    nameless: float
    wayless: float
    heading: float


WEIGHTS = Evidence(
    covered=1.72,
    rare_covered=2.16,
    strength=2.61,
    missing_name=-0.85,
    suited=0.54,
    nameless=-1.86,
    wayless=-1.35,
    heading=-1.05,
)
BIAS = -5.14
ENOUGH = 0.37
"""The odds from which a sentence is shown."""


def odds(evidence: Evidence) -> float:
    """Return how much speaks for a sentence: above 0, and without an upper end."""
    pairs = zip(msgspec.structs.astuple(WEIGHTS), msgspec.structs.astuple(evidence), strict=True)
    return exp(BIAS + sum(weight * seen for weight, seen in pairs))
