import pytest

from omni_core.adapters.llm.brain.cues import sentences_wanted, wants_summary, without_length


@pytest.mark.parametrize(
    "instruction, wanted",
    [
        ("Summarise in 3 sentences", 3),
        ("Give me a two-sentence summary", 2),
        ("List five key points", 5),
        ("three short bullet points, please", 3),
        ("Fasse den Text in einem Satz zusammen", 1),
        ("Résume en trois phrases", 3),
        ("Resume en dos frases", 2),
        ("用三句话总结", 3),
        ("3つの文で要約して", 3),
        ("Summarise in 0 sentences", 1),
        ("Summarise in 50 words", None),
        ("Summarise", None),
    ],
)
def test_reads_the_length_that_is_asked_for(instruction, wanted):
    assert sentences_wanted(instruction) == wanted


def test_leaves_the_length_out_of_the_question():
    assert without_length("In one sentence, who won?").split() == ["In", ",", "who", "won?"]


@pytest.mark.parametrize(
    "sentence",
    ["What does the summary by Smith leave out?", "Who summarised it first?", "What is the key to the door?"],
)
def test_a_question_about_summaries_is_a_question(sentence):
    assert not wants_summary(sentence)
