import pytest

from omni_core.adapters.llm.brain.conversation import read
from omni_core.adapters.llm.brain.wording import NO_ANSWER
from omni_core.domain.llm.model import Message, Role

S, U, A, T = Role.SYSTEM, Role.USER, Role.ASSISTANT, Role.TOOL


def reading(*turns: tuple[Role, str]) -> tuple[str, list[str]]:
    found = read([Message.of(role, text) for role, text in turns])
    return found.question, [sentence.text for sentence in found.material]


@pytest.mark.parametrize(
    "text, question, material",
    [
        ("It rained. Was it cold?", "Was it cold?", ["It rained."]),
        ("Was it cold? It rained. Who knew? It froze.", "Was it cold?", ["It rained.", "Who knew?", "It froze."]),
        ("Summarise this: It rained. It froze.", "Summarise this", ["It rained.", "It froze."]),
        ("It rained. TL;DR", "TL;DR", ["It rained."]),
        ("It rained. It froze. Tell me when it rained.", "Tell me when it rained.", ["It rained.", "It froze."]),
        ("When it rained, he left. Was it cold?", "Was it cold?", ["When it rained, he left."]),
        ("It rained. Was it cold? It froze.", "Was it cold?", ["It rained.", "It froze."]),
        ("Text:\nIt rained.\n\nQuestion: was it cold?", "was it cold?", ["It rained."]),
        ("Which is right: tea or milk?", "Which is right: tea or milk?", []),
        ("<text>\nIt rained.\n</text>\nWas it cold?", "Was it cold?", ["It rained."]),
        ("It rained. Cold nights", "Cold nights", ["It rained."]),
        ("", "", []),
    ],
)
def test_tells_the_question_from_the_material(text, question, material):
    assert reading((U, text)) == (question, material)


def test_material_comes_from_every_turn_but_earlier_questions_and_its_own_words_do_not():
    assert reading(
        (S, "It rained."),
        (U, "It froze. Did it rain?"),
        (A, "It rained.\n\n[sentence 1 of 1 in message 1]"),
        (U, "Is it May?"),
        (A, NO_ANSWER),
        (T, "It is June."),
        (U, "Which month is it?"),
    ) == ("Which month is it?", ["It rained.", "It froze.", "It is June."])


def test_numbers_sentences_within_their_message():
    found = read([Message.of(S, "It rained. It froze."), Message.of(U, "It thawed. Was it cold?")])
    assert [(sentence.message, sentence.number) for sentence in found.material] == [(1, 1), (1, 2), (2, 1)]
    assert found.asked == 2


def test_without_a_user_nothing_is_asked():
    assert read([Message.of(S, "It rained.")]).question == ""
