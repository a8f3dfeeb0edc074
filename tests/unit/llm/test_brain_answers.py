import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omni_core.adapters.llm.brain.answer import answer
from omni_core.adapters.llm.brain.wording import NO_ANSWER, NO_MATERIAL
from omni_core.domain.llm.model import Message, Role

BRIDGE = (
    "The Aldermere bridge crosses the river Sloe. It was opened in 1932 by the mayor. A flood damaged the bridge in "
    "1987. Repairs to the bridge took two years. The mayor thanked Dr. Lund, who planned the repairs. Today the bridge "
    "is lit by 60 lamps. Ducks live nearby. The lamps were given by a bank."
)
FAQ = "Q: When does the pool open?\nA: At nine on weekdays.\nQ: How much is a ticket?\nA: Four pounds."


def said(*turns: tuple[str, str]) -> str:
    return answer([Message.of(Role(role), text) for role, text in turns]).as_text()


@pytest.mark.parametrize(
    "turns, expected",
    [
        (
            [("user", f"{BRIDGE}\n\nWho planned the repairs?")],
            "The mayor thanked Dr. Lund, who planned the repairs.|5 of 8",
        ),
        ([("user", f"How many lamps light the bridge?\n{BRIDGE}")], "Today the bridge is lit by 60 lamps.|6 of 8"),
        ([("system", FAQ), ("user", "When does the pool open?")], "A: At nine on weekdays.|2 of 4"),
        ([("user", "京都には寺がある。大阪は都市だ。京都には何がある？")], "京都には寺がある。|1 of 2"),  # noqa: RUF001
    ],
)
def test_answers_in_the_sentence_that_answers(turns, expected):
    sentence, place = expected.split("|")
    assert said(*turns) == f"{sentence}\n\n[sentence {place}]"


def test_names_messages_where_several_gave_material():
    turns = [
        ("system", "The pool opens at nine."),
        ("tool", "Today the pool is closed."),
        ("user", "Is the pool closed?"),
    ]
    assert said(*turns).endswith("Today the pool is closed.\n\n[sentence 1 of 1 in message 2]")


def test_a_sentence_that_follows_up_inherits_the_topic():
    text = "The Sloe tower stands on a hill. It was built in 1889. The mill stands below. It was built in 1920."
    assert said(("user", f"{text} When was the mill built?")) == "It was built in 1920.\n\n[sentence 4 of 4]"


def test_summarises_in_the_order_of_the_text_and_at_the_length_asked_for():
    asked = [("user", f"Summarise the text below in three sentences.\n\n{BRIDGE}")]
    summary, sources = said(*asked).split("\n\n")
    places = [BRIDGE.index(sentence) for sentence in summary.splitlines()]
    assert len(places) == 3
    assert places == sorted(places)
    assert "Ducks" not in summary
    assert sources.startswith("[sentences ")


@pytest.mark.parametrize(
    "request_text",
    [
        "tl;dr",
        "Give me a short summary, please.",
        "What are the key points?",
        "Fasse den Text zusammen.",
        "Résume le texte.",
        "Resume el texto.",
        "Riassumi il testo.",
        "请总结。",
        "要約してください。",
    ],
)
def test_knows_a_request_for_a_summary(request_text):
    assert len(said(("user", f"{BRIDGE}\n\n{request_text}")).splitlines()) == 4


def test_a_summary_does_not_repeat_itself():
    text = "The old mill burns oil. The mill, the old one, burns oil. Oil is dear. The town owns the mill and its oil."
    summary = said(("user", f"Summarise in 2 sentences: {text}"))
    assert ("The old mill burns" in summary) + ("the old one" in summary) == 1


def test_summarises_what_came_with_the_request_rather_than_standing_instructions():
    turns = [("system", "You are a bridge expert. Bridges are your life."), ("user", f"Summarise this:\n{BRIDGE}")]
    assert "in message 2]" in said(*turns)
    assert "expert" not in said(*turns)


@pytest.mark.parametrize(
    "question",
    [
        "What is the capital of Peru?",
        "What is it?",
        "How are you?",
        "How much did the repairs to the bridge cost?",
        "What is the phone number of the mayor?",
        "How heavy is the bridge?",
    ],
)
def test_says_one_sentence_and_no_more_when_nothing_answers(question):
    assert said(("system", BRIDGE), ("user", question)) == "I found no sentence that answers this."


@pytest.mark.parametrize(
    "words", ["I found no sentence that answers this.", "Nothing in the text I was given answers that."]
)
def test_its_own_refusal_in_an_earlier_turn_is_no_material(words):
    turns = [
        ("system", "The pool opens at nine."),
        ("assistant", words),
        ("user", "Which sentence in the text answers this?"),
    ]
    assert said(*turns) == NO_ANSWER


@pytest.mark.parametrize("turns", [[("user", "hi")], [("user", "")], [("system", BRIDGE)], [("user", "Who are you?")]])
def test_says_what_it_is_where_there_is_nothing_to_answer_from(turns):
    assert said(*turns) == NO_MATERIAL


def test_the_answer_as_json():
    found = answer([Message.of(Role.USER, f"{BRIDGE} Who planned the repairs?")])
    sentence = "The mayor thanked Dr. Lund, who planned the repairs."
    assert json.loads(found.as_json()) == {"answer": sentence, "sentences": [{"message": 1, "sentence": 5}]}
    assert json.loads(answer([Message.of(Role.USER, "hi")]).as_json()) == {"answer": NO_MATERIAL, "sentences": []}


WORDS = st.sampled_from(
    "bridge river flood mill lamp opened 1932 The It Dr. who? when 橋 川。 été\n - and, end. It's".split(" ")
)
PROSE = st.lists(WORDS, max_size=60).map(" ".join)


@given(st.lists(st.tuples(st.sampled_from(Role), PROSE | st.text()), min_size=1, max_size=5))
def test_every_sentence_it_uses_is_in_the_message_that_it_names(turns):
    messages = [Message.of(role, text) for role, text in turns]
    found = answer(messages)
    for sentence in found.used:
        assert sentence.text in messages[sentence.message - 1].text
    assert found.words == "\n".join(sentence.text for sentence in found.used) or found.words in (NO_ANSWER, NO_MATERIAL)


@given(PROSE, st.integers(1, 20))
def test_a_summary_is_never_longer_than_asked_for(text, length):
    assert len(answer([Message.of(Role.USER, f"Summarise in {length} sentences:\n\n{text}")]).used) <= length


def test_answers_alike_in_every_process():
    program = (
        "import sys; from omni_core.adapters.llm.brain.answer import answer\n"
        "from omni_core.domain.llm.model import Message, Role\n"
        "print(answer([Message.of(Role.USER, sys.argv[1])]).as_json())"
    )

    def in_process(seed: str) -> bytes:
        command = [sys.executable, "-c", program, f"Summarise in 4 sentences:\n{BRIDGE}"]
        environment = os.environ | {"PYTHONHASHSEED": seed, "PYTHONIOENCODING": "utf-8"}
        return subprocess.run(command, env=environment, capture_output=True, check=True, cwd=Path.cwd()).stdout

    assert in_process("1") == in_process("2")
