"""What a question asks for, as far as its own words say: a time, a number, a name, or anything.

The idea is that of answer typing (Li and Roth, "Learning Question Classifiers", COLING 2002), kept to the types that
can be told from the surface of a sentence.
"""

import re
from collections.abc import Collection
from enum import Enum

from omni_core.adapters.llm.brain.languages import Language
from omni_core.adapters.llm.brain.terms import terms_of

_ASKS_TIME = re.compile(
    r"\b(?:when|(?:what|which) (?:year|date|day|month|century)|what time|wann|in welchem jahr|quand|cuándo|quando)\b|"
    r"何年|何時|いつ|什么时候|哪一年",
    re.IGNORECASE,
)
_ASKS_NUMBER = re.compile(
    r"\bhow (?:many|much|long|old|far|tall|high|deep|wide|large|big|often|fast|heavy)\b|"
    r"\bwie (?:viele?|lange|alt|hoch|tief|weit|groß|schnell|schwer|oft)\b|"
    r"\b(?:combien|cuánt[oa]s?|quant[oiae]s?)\b|何人|いくつ|いくら|多少|几",
    re.IGNORECASE,
)
_ASKS_NAME = re.compile(r"\b(?:who|whom|whose|wer|wem|wen|qui|quién|quiénes|chi|quem)\b", re.IGNORECASE)
_HAS_TIME = re.compile(
    r"\b1\d{3}\b|\b20\d\d\b|\b\d{1,2}[:.h]\d\d\b|\b\d{1,2}(?::\d\d)? ?[ap]\.?m\b|\d年|\d月|\d時|"
    r"\b(?:january|february|march|april|june|july|august|september|october|november|december|monday|tuesday|wednesday|"
    r"thursday|friday|saturday|sunday|noon|midnight|dawn|dusk|century|o'clock|januar|februar|märz|mai|juni|juli|oktober|"
    r"dezember|janvier|février|mars|avril|juin|juillet|août|septembre|octobre|novembre|décembre|enero|febrero|marzo|abril|"
    r"mayo|junio|julio|agosto|septiembre|octubre|noviembre|diciembre|gennaio|febbraio|aprile|maggio|giugno|luglio|"
    r"settembre|ottobre|dicembre|janeiro|fevereiro|março|maio|junho|julho|setembro|outubro|dezembro)\b",
    re.IGNORECASE,
)
_HAS_NUMBER = re.compile(
    r"\d|[一二三四五六七八九十百千万]|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty|forty|"
    r"fifty|hundreds?|thousands?|millions?|half|dozen|twice|zwei|drei|vier|fünf|zehn|deux|trois|quatre|cinq|dix|dos|tres|"
    r"cuatro|cinco|diez|due|tre|quattro|cinque|dieci|dois|duas|três|quatro|dez)\b",
    re.IGNORECASE,
)
_LATER_CAPITAL = re.compile(r"(?<=[\w,;)\u2019'\"] )[^\W\d_a-z][\w-]+")


class AnswerType(Enum):
    """What the answer should hold."""

    TIME = "time"
    NUMBER = "number"
    NAME = "name"
    ANYTHING = "anything"

    @classmethod
    def of(cls, question: str) -> "AnswerType":
        """Return what a question asks for."""
        asks = ((cls.TIME, _ASKS_TIME), (cls.NUMBER, _ASKS_NUMBER), (cls.NAME, _ASKS_NAME))
        return next((kind for kind, words in asks if words.search(question)), cls.ANYTHING)

    def suits(self, sentence: str, wanted: Collection[str], language: Language) -> bool:
        """Say whether a sentence holds such a thing; a name is a capitalised word beyond its first and `wanted`."""
        if self is AnswerType.TIME:
            return _HAS_TIME.search(sentence) is not None
        if self is AnswerType.NUMBER:
            return _HAS_NUMBER.search(sentence) is not None
        if self is AnswerType.NAME:
            capitals = _LATER_CAPITAL.findall(sentence)
            return any(word[0].isupper() and not set(terms_of(word, language)) <= set(wanted) for word in capitals)
        return False
