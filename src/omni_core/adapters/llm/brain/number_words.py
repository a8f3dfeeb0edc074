"""Number words, read: `three` and `3`, `a dozen` and `12`, `third` and `3rd` are the same term.

English compounds are added up (`twenty-five`, `three hundred and ten`); of the other languages the single words are
known. `second` stays a word, since it is mostly a unit of time.
"""

from collections.abc import Iterable, Iterator

_ENGLISH = """
zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen
nineteen twenty
"""
_ORDINALS = """
- first - third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth sixteenth
seventeenth eighteenth nineteenth twentieth
"""
_TENS = "- - - thirty forty fifty sixty seventy eighty ninety"
_SCALES = {"hundred": 100, "thousand": 1_000, "million": 1_000_000, "billion": 1_000_000_000}
_HUNDRED = 100
_ELSEWHERE = {
    "de": "null - zwei drei vier fünf sechs sieben acht neun zehn elf zwölf",
    "fr": "zéro - deux trois quatre cinq six sept huit - dix onze douze",
    "es": "cero - dos tres cuatro cinco seis siete ocho nueve diez once doce",
    "it": "zero - due tre quattro cinque sei sette otto nove dieci undici dodici",
    "pt": "zero - dois três quatro cinco seis sete oito nove dez onze doze",
}


def _numbered(words: str, step: int = 1) -> dict[str, int]:
    return {word: place * step for place, word in enumerate(words.split()) if word != "-"}


_WORDS = {"en": _numbered(_ENGLISH) | _numbered(_ORDINALS) | _numbered(_TENS, 10) | {"dozen": 12, "twice": 2}} | {
    code: _numbered(words) for code, words in _ELSEWHERE.items()
}


class _Number:
    """A number as its words come: what is complete, the group under way, and below what a further word must be."""

    def __init__(self, value: int) -> None:
        self._complete, self._group, self._room = 0, value, _room(value)

    @property
    def value(self) -> int:
        return self._complete + self._group

    def takes(self, word: str, known: dict[str, int], scales: dict[str, int]) -> bool:
        """Say whether a word goes on with this number, which then includes it."""
        scale, number = scales.get(word), known.get(word)
        if scale == _HUNDRED and 0 < self._group < _HUNDRED:
            self._group, self._room = self._group * _HUNDRED, _HUNDRED
        elif scale is not None and scale > _HUNDRED and 0 < self._group < scale:
            self._complete, self._group, self._room = self._complete + self._group * scale, 0, scale
        elif number is not None and 0 < number < self._room:
            self._group, self._room = self._group + number, _room(number)
        else:
            return word == "and" and self._room >= _HUNDRED
        return True


def with_digits(words: Iterable[str], code: str) -> Iterator[str]:
    """Yield the words of a text in folded case, its number words as digits. `code` is of the language."""
    known = _WORDS[code]
    scales = _SCALES if code == "en" else {}
    number: _Number | None = None
    for word in words:
        if number is not None and number.takes(word, known, scales):
            continue
        if number is not None:
            yield str(number.value)
        value = known.get(word, scales.get(word))
        number = None if value is None else _Number(value)
        if number is None:
            yield word
    if number is not None:
        yield str(number.value)


def _room(value: int) -> int:
    return value if value in _SCALES.values() else 10 if value in range(20, 100, 10) else 0
