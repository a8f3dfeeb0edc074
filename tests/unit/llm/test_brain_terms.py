import pytest

from omni_core.adapters.llm.brain.languages import ENGLISH, FRENCH, GERMAN, LANGUAGES, language_of
from omni_core.adapters.llm.brain.terms import stem, terms_of, words_of


@pytest.mark.parametrize(
    "forms",
    [
        "open opens opened opening",
        "city cities",
        "bridge bridges bridged",
        "class classes",
        "run running ran runs",
        "invent invented invention inventions",
        "build built builds building",
        "virus viruses",
        "stop stopped stopping",
        "study studied studies",
        "spring springs",
        "fast faster fastest",
        "repair repairs repairable",
        "ship ships shipped shipment",
    ],
)
def test_forms_of_an_english_word_come_out_alike(forms):
    assert len({stem(form, ENGLISH) for form in forms.split()}) == 1


def test_different_words_stay_apart():
    words = "king king's bus bush class clash sing single".replace("'s", "dom").split()
    assert len({stem(word, ENGLISH) for word in words}) == len(words)


def test_terms_are_without_stop_words_accents_and_commas():
    assert terms_of("The 1,200 cafés of the town, at 3.5 m", ENGLISH) == ["1200", "cafe", "town", "3.5"]
    assert terms_of("Die Brücken der Stadt", GERMAN) == ["bruck", "stadt"]


def test_scripts_without_spaces_give_pairs_without_grammar():
    assert terms_of("東京にある寺", ENGLISH) == ["東京", "京に", "る寺"]
    assert terms_of("猫", ENGLISH) == ["猫"]


@pytest.mark.parametrize(
    "text, language",
    [("the cat is on the roof", ENGLISH), ("das ist die Brücke", GERMAN), ("où est la gare", FRENCH), ("", ENGLISH)],
)
def test_tells_a_language_by_its_commonest_words(text, language):
    assert language_of(words_of(text)) is language


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: language.code)
def test_stemming_keeps_at_least_three_letters(language):
    assert all(len(stem(word, language)) >= 3 for word in language.stop_words if len(word) >= 3)
