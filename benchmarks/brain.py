"""What omni-brain's answers are worth: on questions that its support measure was fitted on, and on others.

    python benchmarks/brain.py            # the figures of docs/howto/omni-brain.md (--short is the same)
    python benchmarks/brain.py --fit      # fit the support measure again, and print it as it stands in support.py
    python benchmarks/brain.py --missed   # beside the figures each question of the fitting set that went wrong

An answer is right where one of the sentences that it shows holds the words that the question file names. The text comes
first in the message and the question last, as people send them.
"""

import argparse
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import exp
from pathlib import Path
from typing import Final

import msgspec

from omni_core.adapters.llm.brain.answer import answer, language_in
from omni_core.adapters.llm.brain.conversation import read
from omni_core.adapters.llm.brain.cues import without_length
from omni_core.adapters.llm.brain.ranking import weigh
from omni_core.adapters.llm.brain.support import Evidence
from omni_core.domain.llm.model import Message, Role

FILES: Final = Path(__file__).parent.parent / "docs" / "howto" / "omni-brain"
SETS: Final = ("fitting", "held-out")
RIDGE: Final = 1.0
"""How strongly the fit is drawn towards weights of 0, so that a handful of questions cannot make one large."""


class Text(msgspec.Struct, forbid_unknown_fields=True):
    """A text, the questions that it answers with words of the answering sentence, and some that it does not."""

    kind: str
    language: str
    body: str
    answered: list[tuple[str, str]]
    unanswered: list[str]


@dataclass(frozen=True, slots=True)
class Figures:
    """What came of a set of questions."""

    right: int
    answered: int
    shown: int
    declined: int
    unanswered: int

    def __str__(self) -> str:
        share, refused = self.right / self.answered, self.declined / self.unanswered
        return (
            f"right {self.right} of {self.answered} ({share:.0%}), declined {self.declined} of {self.unanswered} "
            f"({refused:.0%}), {self.shown / self.answered:.2f} sentences a question that has an answer"
        )


def texts(name: str) -> list[Text]:
    """Return the texts of a set, with their questions."""
    return msgspec.convert(tomllib.loads((FILES / f"{name}.toml").read_text("utf-8"))["text"], list[Text])


def asked(text: Text, question: str) -> list[Message]:
    """Return the conversation in which a question about a text is asked."""
    return [Message.of(Role.USER, f"{text.body}\n{question}")]


def shown(text: Text, question: str) -> list[str]:
    """Return the sentences that omni-brain answers with, none where it declines."""
    return [sentence.text for sentence in answer(asked(text, question)).used]


def figures(chosen: Sequence[Text]) -> Figures:
    """Ask every question of some texts."""
    answers = [(shown(text, question), words) for text in chosen for question, words in text.answered]
    declined = sum(not shown(text, question) for text in chosen for question in text.unanswered)
    return Figures(
        right=sum(any(words in sentence for sentence in sentences) for sentences, words in answers),
        answered=len(answers),
        shown=sum(len(sentences) for sentences, _ in answers),
        declined=declined,
        unanswered=sum(len(text.unanswered) for text in chosen),
    )


def missed(chosen: Sequence[Text]) -> Iterator[str]:
    """Yield a line for each question that went wrong."""
    for text in chosen:
        for question, words in text.answered:
            sentences = shown(text, question)
            if not any(words in sentence for sentence in sentences):
                yield f"{question} | wanted: {words} | shown: {sentences}"
        for question in text.unanswered:
            if sentences := shown(text, question):
                yield f"{question} | wanted: nothing | shown: {sentences}"


def examples(chosen: Sequence[Text]) -> Iterator[tuple[tuple[float, ...], float]]:
    """Yield the evidence for each sentence that could answer a question, and 1 where it does answer it."""
    for text in chosen:
        for question, words in [*text.answered, *((question, None) for question in text.unanswered)]:
            reading = read(asked(text, question))
            for one in weigh(without_length(reading.question), reading.material, language_in(reading)):
                right = words is not None and words in reading.material[one.place].text
                yield (1.0, *msgspec.structs.astuple(one.evidence)), float(right)


def fitted(chosen: Sequence[Text]) -> list[float]:
    """Return the bias and the weights of the regression, by Newton's method."""
    seen = list(examples(chosen))
    weights = [0.0] * len(seen[0][0])
    for _ in range(25):
        slope = [-RIDGE * weight * (place > 0) for place, weight in enumerate(weights)]
        bend = [[RIDGE * (row == column > 0) for column in range(len(weights))] for row in range(len(weights))]
        for evidence, right in seen:
            chance = 1 / (1 + exp(-sum(weight * value for weight, value in zip(weights, evidence, strict=True))))
            for row, value in enumerate(evidence):
                slope[row] += (right - chance) * value
                for column, other in enumerate(evidence):
                    bend[row][column] += chance * (1 - chance) * value * other
        weights = [weight + step for weight, step in zip(weights, solved(bend, slope), strict=True)]
    return weights


def solved(matrix: list[list[float]], right: list[float]) -> list[float]:
    """Return the solution of a system of equations whose matrix is positive definite, by elimination."""
    rows = [[*row, value] for row, value in zip(matrix, right, strict=True)]
    for pivot, row in enumerate(rows):
        for other in rows:
            if other is not row:
                share = other[pivot] / row[pivot]
                other[:] = [value - share * mine for value, mine in zip(other, row, strict=True)]
    return [row[-1] / row[place] for place, row in enumerate(rows)]


def main() -> None:
    """Print the figures, or the fit."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true", help="as without it: this takes a second")
    parser.add_argument("--fit", action="store_true", help="fit the support measure, and print it")
    parser.add_argument("--missed", action="store_true", help="print what went wrong in the fitting set")
    given = parser.parse_args()
    if given.fit:
        bias, *weights = fitted(texts("fitting"))
        for name, weight in zip(Evidence.__struct_fields__, weights, strict=True):
            print(f"    {name}={weight:.2f},")
        print(f"BIAS = {bias:.2f}")
        return
    for name in SETS:
        for language in ("en", "de"):
            print(f"{name}, {language}: {figures([text for text in texts(name) if text.language == language])}")
    if given.missed:
        print("\n".join(missed(texts("fitting"))))


if __name__ == "__main__":
    main()
