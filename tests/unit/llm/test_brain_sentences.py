import pytest
from hypothesis import given
from hypothesis import strategies as st

from omni_core.adapters.llm.brain.sentences import LONGEST, split


@pytest.mark.parametrize(
    "text, sentences",
    [
        ("", []),
        ("One. Two! Three? Four", ["One.", "Two!", "Three?", "Four"]),
        ("Dr. Lund met Mrs. E. J. Harrow. They spoke.", ["Dr. Lund met Mrs. E. J. Harrow.", "They spoke."]),
        ("It is 3.14 m, i.e. long. Good.", ["It is 3.14 m, i.e. long.", "Good."]),
        ("See Fig. 3 and No. 7. No. I won't.", ["See Fig. 3 and No. 7.", "No.", "I won't."]),
        ("He joined Acme Inc. in May. Then left.", ["He joined Acme Inc. in May.", "Then left."]),
        ("Eat vitamin C. It helps.", ["Eat vitamin C.", "It helps."]),
        ("Open at 9 a.m. on Mondays. Bring tea.", ["Open at 9 a.m. on Mondays.", "Bring tea."]),
        ("Visit https://example.org/a.b?c=d!x today. Bye.", ["Visit https://example.org/a.b?c=d!x today.", "Bye."]),
        ("“Stop!” he said. She did.", ["“Stop!” he said.", "She did."]),
        ("He said “Go.” Then he left.", ["He said “Go.”", "Then he left."]),
        ("It works.[3] Others agree.[12]", ["It works.[3]", "Others agree.[12]"]),
        ("Well … perhaps. Wait... No.", ["Well … perhaps.", "Wait...", "No."]),
        ("the sky is blue. grass is green.", ["the sky is blue.", "grass is green."]),
        ("Am 3. Oktober war es z.B. kalt. Gut.", ["Am 3. Oktober war es z.B. kalt.", "Gut."]),
        ("東京は大きい。本当？「はい！」と言った。", ["東京は大きい。", "本当？", "「はい！」と言った。"]),  # noqa: RUF001
        ("यह एक है। यह दो है।", ["यह एक है।", "यह दो है।"]),
        (
            "# Title\n\n- first item\n- second item\n1. Mix it\n2. Bake it",
            "Title|first item|second item|1. Mix it|2. Bake it",
        ),
        ("Name\nAddress\nTown", ["Name", "Address", "Town"]),
        ("Bread,\nbutter,\njam", ["Bread,\nbutter,\njam"]),
    ],
)
def test_ends_sentences_where_people_do(text, sentences):
    assert split(text) == (sentences.split("|") if isinstance(sentences, str) else sentences)


def test_joins_lines_that_were_wrapped_to_a_width():
    wrapped = (
        "The harbour was built in the years after the war\n"
        "and has been made deeper twice since then by the\n"
        "county. Ships call daily."
    )
    assert split(wrapped) == [wrapped[: wrapped.index(" Ships")], "Ships call daily."]


def test_cuts_what_never_ends():
    cut = split("word " * 2_000)
    assert max(map(len, cut)) <= LONGEST
    assert "".join(cut).replace(" ", "") == "word" * 2_000


@given(st.text() | st.text(alphabet="aB1 .!?\n-,\"'。」と[]\u2028"))
def test_sentences_are_stretches_of_the_text_in_order(text):
    start = 0
    for sentence in split(text):
        assert sentence
        assert sentence == sentence.strip()
        start = text.index(sentence, start) + len(sentence)


@given(st.text(alphabet="aB1 .!?\n,。"))
def test_no_word_is_lost(text):
    def words(of: str) -> list[str]:
        return [character for character in of if character.isalnum()]

    assert words("".join(split(text))) == words(text)
