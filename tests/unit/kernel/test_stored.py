"""Words and values of another release, as they are rebuilt from rows."""

import copy
import pickle
from enum import StrEnum

import msgspec
import pytest

from omni_core.domain.kernel.errors import InvalidValue
from omni_core.domain.kernel.money import Money
from omni_core.domain.kernel.stored import is_known, is_rebuilding, rebuilds, stored


class Colour(StrEnum):
    """Words, of which this release knows two."""

    RED = "red"
    GREEN = "green"


class Checked(msgspec.Struct, frozen=True):
    """A thing with a rule."""

    number: int

    def __post_init__(self) -> None:
        if is_rebuilding():
            return
        if self.number < 0:
            raise ValueError("number must not be negative")


BLUE = stored(Colour, "blue")


def test_a_known_word_is_its_member():
    assert stored(Colour, "red") is Colour.RED
    assert is_known(stored(Colour, "red"))


def test_an_unknown_word_is_of_its_class_and_its_text():
    assert isinstance(BLUE, Colour)
    assert (BLUE, BLUE.value, BLUE.name, f"{BLUE}", hash(BLUE)) == ("blue", "blue", "blue", "blue", hash("blue"))
    assert stored(Colour, "blue") == BLUE
    assert sorted([Colour.RED, BLUE]) == ["blue", "red"]


def test_an_unknown_word_is_no_member():
    assert not is_known(BLUE)
    assert BLUE not in list(Colour)
    assert len(Colour) == 2


@pytest.mark.parametrize("read", [lambda text: msgspec.convert(text, Colour), Colour])
def test_what_somebody_sends_is_checked_as_before(read):
    with pytest.raises(ValueError, match="blue"):
        read("blue")


def test_an_unknown_word_is_encoded_as_its_text():
    assert msgspec.json.encode({"colours": frozenset({BLUE})}) == b'{"colours":["blue"]}'
    assert msgspec.to_builtins(BLUE) == "blue"


@pytest.mark.parametrize("word", [BLUE, Colour.RED])
def test_words_survive_being_copied_and_pickled(word):
    copies = [copy.copy(word), copy.deepcopy(word), copy.deepcopy([word])[0]]
    texts = [pickle.dumps(word, protocol) for protocol in range(pickle.HIGHEST_PROTOCOL + 1)]
    pickled = [pickle.loads(text) for text in texts]  # noqa: S301 - it was pickled here
    for one in (*copies, *pickled):
        assert (type(one), one) == (Colour, word)
        assert is_known(one) is is_known(word)


def test_nothing_is_checked_while_a_row_is_rebuilt():
    assert rebuilds(Checked)(-1).number == -1
    assert rebuilds(msgspec.convert)({"number": -1}, Checked) == rebuilds(Checked)(-1)
    assert rebuilds(copy.deepcopy)(rebuilds(Checked)(-1)).number == -1


def test_everything_is_checked_again_afterwards():
    assert rebuilds(lambda: (rebuilds(Checked)(-1), is_rebuilding()))()[1]
    assert not is_rebuilding()
    with pytest.raises(ValueError, match="negative"):
        Checked(-1)


def test_everything_is_checked_again_after_a_failure():
    @rebuilds
    def fail() -> None:
        raise LookupError

    with pytest.raises(LookupError):
        fail()
    assert not is_rebuilding()


async def suspended() -> None: ...


def yielding():
    yield


async def both():
    yield


@pytest.mark.parametrize("function", [suspended, yielding, both])
def test_a_function_that_can_be_suspended_rebuilds_nothing(function):
    with pytest.raises(TypeError):
        rebuilds(function)


def test_money_of_an_unknown_currency_is_shown_in_minor_units():
    money = rebuilds(Money)(1234, "XYZ")
    assert (str(money), money.major, money.picos) == ("1234 minor XYZ", None, 1234)
    assert rebuilds(Money.from_picos)(1234, "XYZ") == money
    with pytest.raises(InvalidValue):
        Money(1234, "XYZ")


@pytest.mark.parametrize("money", [Money(0, "USD"), Money(-1, "USD"), Money(12345, "JPY"), Money(7, "ETH")])
def test_money_comes_back_from_its_picos(money):
    assert Money.from_picos(money.picos, money.currency) == money
