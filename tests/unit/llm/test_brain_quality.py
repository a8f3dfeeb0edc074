"""Measured on our own questions; how they came about and what the figures mean is in docs/howto/omni-brain.md."""

from pathlib import Path

import msgspec
import pytest

from omni_core.adapters.llm.brain.answer import answer
from omni_core.domain.llm.model import Message, Role


class Question(msgspec.Struct, forbid_unknown_fields=True):
    question: str
    answer: int | None
    near_miss: bool = False


class Passage(msgspec.Struct, forbid_unknown_fields=True):
    passage: list[str]
    questions: list[Question]


@pytest.fixture(scope="module")
def passages():
    raw = (Path(__file__).parent / "data" / "brain_questions.json").read_bytes()
    return msgspec.json.decode(raw, type=list[Passage])


def used(passage: Passage, question: Question) -> list[int]:
    turns = [Message.of(Role.SYSTEM, "\n".join(passage.passage)), Message.of(Role.USER, question.question)]
    return [sentence.number - 1 for sentence in answer(turns).used]


def best(passage: Passage, question: Question) -> list[int]:
    turns = [
        Message.of(Role.SYSTEM, "\n".join(passage.passage)),
        Message.of(Role.USER, f"In one sentence: {question.question}"),
    ]
    return [sentence.number - 1 for sentence in answer(turns).used]


def pairs(passages: list[Passage], *, answered: bool, near_miss: bool = False) -> list[tuple[Passage, Question]]:
    return [
        (passage, question)
        for passage in passages
        for question in passage.questions
        if (question.answer is not None) == answered and question.near_miss == near_miss
    ]


def test_finds_the_answering_sentence_far_more_often_than_the_first_sentence_is_it(passages):
    asked = pairs(passages, answered=True)
    found = sum(best(passage, question) == [question.answer] for passage, question in asked)
    first = sum(question.answer == 0 for _, question in asked)
    assert (found, first, len(asked)) == (22, 4, 26)


def test_an_answer_holds_the_answering_sentence_and_little_else(passages):
    asked = pairs(passages, answered=True)
    answers = [(used(passage, question), question.answer) for passage, question in asked]
    assert sum(right in places for places, right in answers) == 24
    assert sum(len(places) for places, _ in answers) <= 1.25 * len(asked)


def test_declines_what_shares_no_words_with_the_text_and_is_fooled_by_what_does(passages):
    unrelated = pairs(passages, answered=False)
    assert [used(passage, question) for passage, question in unrelated] == [[]] * 5
    fooled = [bool(used(passage, question)) for passage, question in pairs(passages, answered=False, near_miss=True)]
    assert sum(fooled) == 5, "better than documented: say so in docs/howto/omni-brain.md"
