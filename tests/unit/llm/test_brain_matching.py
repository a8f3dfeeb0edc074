import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from omni_core.adapters.llm.brain import support
from omni_core.adapters.llm.brain.answer import answer
from omni_core.adapters.llm.brain.answer_types import Asked
from omni_core.adapters.llm.brain.languages import ENGLISH, FRENCH, GERMAN
from omni_core.adapters.llm.brain.matching import FAMILY, LIGHT_WEIGHT, SYNONYM, wants
from omni_core.adapters.llm.brain.number_words import with_digits
from omni_core.adapters.llm.brain.synonyms import groups
from omni_core.adapters.llm.brain.terms import terms_of
from omni_core.domain.llm.model import Message, Role

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    "words, read",
    [
        ("three", "3"),
        ("third", "3"),
        ("twenty five cats", "25 cats"),
        ("three hundred and ten", "310"),
        ("two thousand five hundred", "2500"),
        ("five million", "5000000"),
        ("two three", "2 3"),
        ("sixty days and three nights", "60 days and 3 nights"),
        ("one second", "1 second"),
        ("cats and dogs", "cats and dogs"),
    ],
)
def test_number_words_are_read(words, read):
    assert " ".join(with_digits(words.split(), "en")) == read


def test_number_words_of_other_languages_are_read():
    assert list(with_digits(["zwölf", "euro"], "de")) == ["12", "euro"]
    assert list(with_digits(["trois", "hundred"], "fr")) == ["3", "hundred"]


@pytest.mark.parametrize(
    "one, other",
    [
        ("three lamps", "3 lamps"),
        ("the 3rd lamp", "the third lamp"),
        ("a dozen eggs", "12 eggs"),
        ("get my money back", "get my refund"),
        ("sign up by e-mail", "register by email"),
        ("1. press it", "press it"),
    ],
)
def test_what_means_the_same_has_the_same_terms(one, other):
    assert terms_of(one, ENGLISH) == terms_of(other, ENGLISH)


def met(question: str, sentence: str) -> dict[str, float]:
    terms = terms_of(sentence, ENGLISH)
    return {want.term: want.met_by(terms) for want in wants(question, [terms], ENGLISH)}


def test_a_term_is_met_by_itself_by_a_synonym_and_by_a_word_of_its_family():
    assert met("the elevator", "The elevator is old.") == {"elevator": 1.0}
    assert met("the elevator", "The lift is old.") == {"elevator": SYNONYM}
    assert met("renewal", "We renew it.") == {"renewal": FAMILY}
    assert met("the elevator", "The lamp is lit.") == {"elevator": 0.0}


def test_a_word_of_the_question_is_no_synonym_of_another_one():
    assert met("the lift and the elevator", "The lift is old.") == {"lift": 1.0, "elevator": 0.0}


def test_words_that_say_little_and_neighbours_weigh_less():
    weights = {want.term: want.weight for want in wants("How do I get a cable car", [["cabl", "car"]], ENGLISH)}
    assert weights["get"] == LIGHT_WEIGHT
    assert weights["cabl"] == weights["car"] < 1


@pytest.mark.parametrize("language", [ENGLISH, GERMAN, FRENCH], ids=lambda language: language.code)
def test_a_group_of_synonyms_has_at_least_two_words_each_once(language):
    assert all(len(group) == len(set(group)) >= 2 for group in groups(language.code))
    assert bool(groups(language.code)) == (language is not FRENCH)


@pytest.mark.parametrize(
    "question, suits, does_not",
    [
        ("How much is it?", "It costs €4.", "It has 4 doors."),
        ("What does it cost?", "It is free.", "It is open."),
        ("How long does it take?", "Two working days.", "It is two metres wide."),
        ("How often is it cleaned?", "It is cleaned every day.", "It is clean."),
        ("How many lamps are there?", "It has 12 old lamps.", "The lamps were seen by 12 people."),
        ("How heavy is it?", "It weighs 2 kg.", "It has 2 doors."),
        ("What is the phone number?", "Call 0555 0142.", "Call room 12."),
        ("When does it open?", "On Monday at 9:30.", "It opens with a key."),
        ("Who made it?", "It was made by Ida Harrow.", "It was made by hand."),
    ],
)
def test_knows_what_a_question_asks_for(question, suits, does_not):
    terms = [terms_of(sentence, ENGLISH) for sentence in (suits, does_not)]
    asked = Asked(question, wants(question, terms, ENGLISH), ENGLISH)
    assert asked.suits(suits, terms[0])
    assert not asked.suits(does_not, terms[1])


def test_answers_across_synonyms_number_words_and_forms():
    text = "Parcels are shipped on Mondays. Vouchers expire after 12 months. The warranty covers twenty-four months."
    for question, place in [
        ("when do you deliver packages?", 1),
        ("How long is the guarantee?", 3),
        ("When do vouchers run out after twelve months?", 2),
    ]:
        found = answer([Message.of(Role.USER, f"{text}\n{question}")])
        assert [sentence.number for sentence in found.used] == [place], question


def test_the_weights_are_those_that_the_fitting_set_gives():
    command = [sys.executable, "benchmarks/brain.py", "--fit"]
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    printed = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=True, text=True).stdout
    fitted = dict(line.strip(" ,").replace(" ", "").split("=") for line in printed.splitlines())
    stands = msgspec.structs.asdict(support.WEIGHTS) | {"BIAS": support.BIAS}
    assert {name: float(value) for name, value in fitted.items()} == pytest.approx(stands, abs=0.011)
