"""What docs/howto/omni-brain.md says of omni-brain's quality, on the question files beside it: no less than it says."""

import tomllib
from functools import cache
from pathlib import Path

import msgspec
import pytest

from omni_core.adapters.llm.brain.answer import answer
from omni_core.domain.llm.model import Message, Role

FILES = Path(__file__).parents[3] / "docs" / "howto" / "omni-brain"


class Text(msgspec.Struct, forbid_unknown_fields=True):
    kind: str
    language: str
    body: str
    answered: list[tuple[str, str]]
    unanswered: list[str]


def texts(name: str) -> list[Text]:
    return msgspec.convert(tomllib.loads((FILES / f"{name}.toml").read_text("utf-8"))["text"], list[Text])


def shown(text: Text, question: str) -> list[str]:
    return answered_with(text.body, question)


@cache
def answered_with(body: str, question: str) -> list[str]:
    return [sentence.text for sentence in answer([Message.of(Role.USER, f"{body}\n{question}")]).used]


@pytest.fixture(scope="module", params=["fitting", "held-out"])
def question_set(request):
    return request.param, texts(request.param)


def test_the_sets_are_apart_and_each_answer_is_in_its_text():
    fitting, held_out = texts("fitting"), texts("held-out")
    assert {text.body for text in fitting}.isdisjoint(text.body for text in held_out)
    for text in [*fitting, *held_out]:
        assert all(words in text.body for _, words in text.answered)
    assert len({text.kind for text in held_out}) >= 4
    assert sum(len(text.answered) for text in held_out) >= 40
    assert sum(len(text.unanswered) for text in held_out) >= 20


@pytest.mark.parametrize("name, right, asked", [("fitting", 145, 189), ("held-out", 32, 49)])
def test_finds_answers_to_questions_as_new_users_ask_them(name, right, asked):
    answers = [(shown(text, question), words) for text in texts(name) for question, words in text.answered]
    assert len(answers) == asked
    assert sum(any(words in sentence for sentence in sentences) for sentences, words in answers) >= right


@pytest.mark.parametrize("name, asked", [("fitting", 115), ("held-out", 29)])
def test_declines_seven_of_ten_questions_that_the_text_does_not_answer(name, asked):
    answers = [shown(text, question) for text in texts(name) for question in text.unanswered]
    assert len(answers) == asked
    assert sum(not sentences for sentences in answers) >= 0.7 * asked


def test_an_answer_is_short(question_set):
    _, chosen = question_set
    answers = [shown(text, question) for text in chosen for question, _ in text.answered]
    assert sum(map(len, answers)) <= 1.2 * sum(bool(sentences) for sentences in answers)
