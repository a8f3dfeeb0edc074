"""What a question asks for, as far as its own words say: an amount of money, a time, a number, a name, or anything.

The idea is that of answer typing (Li and Roth, "Learning Question Classifiers", COLING 2002), kept to the types that
can be told from the surface of a sentence.
"""

import re
from collections.abc import Sequence
from enum import Enum

from omni_core.adapters.llm.brain.languages import Language
from omni_core.adapters.llm.brain.matching import Want
from omni_core.adapters.llm.brain.terms import terms_of

_NUMBER_WORDS = (
    "one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|twenty|thirty|forty|fifty|sixty|seventy|"
    "eighty|ninety|hundreds?|thousands?|millions?|billions?|half|dozen|twice|"
    "eine[mnrs]?|zwei|drei|vier|fünf|zehn|deux|trois|quatre|cinq|dix|dos|tres|cuatro|cinco|diez|due|tre|quattro|cinque|"
    "dieci|dois|duas|três|quatro|dez"
)
_UNITS = (
    "(?:milli)?seconds?|minutes?|mins?|hours?|days?|nights?|weeks?|months?|quarters?|years?|decades?|"
    "sekunden?|minuten?|stunden?|tage[n]?|wochen?|monate?n?|jahre?n?|minutos?|heures?|horas?|ore|jours?|días?|dias?|"
    "giorni|semaines?|semanas?|settimane|mois|mes(?:es)?|mesi|ans?|années?|años?|anos?|anni"
)
_COUNTED = rf"(?:\d|\b(?:an?|{_NUMBER_WORDS})\b)[\d.,]{{0,15}}[\s-]+(?:[^\W\d]+[\s-]+)?(?:{_UNITS})\b"
_MONTHS = (
    "january|february|march|april|june|july|august|september|october|november|december|januar|februar|märz|mai|juni|juli|"
    "oktober|dezember|janvier|février|mars|avril|juin|juillet|août|septembre|octobre|novembre|décembre|enero|febrero|"
    "marzo|abril|mayo|junio|julio|agosto|septiembre|octubre|noviembre|diciembre|gennaio|febbraio|aprile|maggio|giugno|"
    "luglio|settembre|ottobre|dicembre|janeiro|fevereiro|março|maio|junho|julho|setembro|outubro|dezembro"
)
_DAYS = (
    "(?:mon|tues|wednes|thurs|fri|satur|sun)days?|weekdays?|weekends?|noon|midnight|dawn|dusk|century|o'clock|"
    "today|tomorrow|montags?|dienstags?|mittwochs?|donnerstags?|freitags?|samstags?|sonntags?"
)


def _any(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns), re.IGNORECASE)


_ASKS_MONEY = _any(
    r"\bhow (?:much|expensive|cheap)\b(?:(?: \S+){0,3} (?:cost|costs|charge|charged|pay|paid|spend|spent|price|owe)\b"
    r"| (?:is|are|was|were|does|do|did|for)\b(?!.*\b(?:weigh|hold|take|use|contain|grow|shrink)\b))",
    r"\b(?:what|whats|what's)\b.*\b(?:cost|costs|price|prices|fee|fees|rent|salary)\b",
    r"\bwas koste[nt]\b|\bwie (?:viel|teuer)\b.*\b(?:koste[nt]|zahle[nt]?|teuer|preis)\b|\bpreis\b",
    r"\bcombien (?:coûte|ça coûte)|\bquel est le prix|\bcuánto cuesta|\bquanto costa|\bquanto custa|いくら|多少钱",
)
_HAS_MONEY = _any(
    r"[$€£¥₹]\s?\d|\d\s?[$€£¥₹]",
    r"\b(?:dollars?|euros?|pounds?|cents?|pence|francs?|franken|yen|usd|eur|gbp|chf)\b",
    r"\b(?:free|gratis|kostenlos|kostenfrei|gratuite?s?|gratuit[oa]s?|included)\b|\bno (?:charge|cost)\b|円|元",
)
_ASKS_DURATION = _any(
    r"\bhow (?:long|soon|quickly|fast|far (?:ahead|in advance))\b|\bwie (?:lange|schnell)\b",
    r"\bcombien de temps\b|\bcuánto tiempo\b|\bquanto tempo\b",
)
_HAS_DURATION = _any(
    _COUNTED,
    r"\b(?:until|till|immediately|at once|instantly|overnight|sofort|bis|jusqu|hasta|fino|até)\b",
    rf"(?:\d|\b(?:{_NUMBER_WORDS})\b)[\d.,]{{0,15}} (?:characters?|letters?|digits?|pages?|words?)\b",
    r"\d\s?(?:m|cm|mm|km|metres?|meters?|feet|ft|inch(?:es)?|s|ms|min|h|mbit|gbit|[mg]bps|km/h|mph)\b",
)
_ASKS_FREQUENCY = _any(r"\bhow (?:often|frequently|regularly)\b|\bwie oft\b|\bà quelle fréquence\b|\bcada cuánto\b")
_HAS_FREQUENCY = _any(
    r"\b(?:every|each|per|daily|hourly|nightly|weekly|monthly|quarterly|yearly|annually|once|twice|times|always|never)\b",
    rf"\b(?:an?|of the) (?:{_UNITS})\b|\bon (?:{_DAYS})\b",
    r"\b(?:jede[nrms]?|täglich|wöchentlich|monatlich|jährlich|mal|pro|chaque|par|cada|ogni|fois|veces|volte|vezes)\b",
)
_ASKS_TIME = _any(
    r"^\W*(?:\w+ )?when\b|\b(?:what|which) (?:year|date|day|month|century|time)\b",
    r"\b(?:wann|in welchem jahr|quand|cuándo|quando)\b",
    r"何年|何時|いつ|什么时候|哪一年",
)
_HAS_TIME = _any(
    r"\b1\d{3}\b|\b20\d\d\b|\b\d{1,2}[:.h]\d\d\b|\b\d{1,2}(?::\d\d)? ?[ap]\.?m\b|\d年|\d月|\d時|\d uhr\b|\bfrom \d",
    rf"\b(?:{_MONTHS})\b|\b(?:{_DAYS})\b|{_COUNTED}",
    r"\b(?:as soon as|until|once (?:it|the|you|they|we)|before|after)\b",
)
_ASKS_MEASURE = re.compile(
    r"\bhow (heavy|old|far|tall|high|deep|wide|large|big|thick|hot|warm|cold|loud)\b|"
    r"\bwhat(?:'s| is| are| was) the (?:\w+ )?"
    r"(weight|age|distance|height|depth|width|size|length|thickness|temperature)\b",
    re.IGNORECASE,
)
_LENGTH = r"(?:[mck]?m|met(?:re|er)s?|kilomet(?:re|er)s?|centimet(?:re|er)s?|miles?|feet|foot|ft|inch(?:es)?|yards?)"
_SPACE = rf"(?:{_LENGTH}|[kmgt]i?b|litres?|liters?|l|ml|gallons?|hectares?|acres?|square|pixels?|%|per ?cent|items?)"
_DEGREES = "(?:°|degrees?|celsius|fahrenheit)"
_MEASURES = {
    "heavy weight": r"(?:[km]?g|kilos?|(?:kilo)?grams?|tons?|tonnes?|pounds?|lbs?|oz|ounces?)",
    "old age": r"(?:\d{3}|years?|months?|weeks?|days?|old)",
    "far distance": rf"(?:{_LENGTH}|minutes?|hours?|stops?)",
    "tall high deep wide thick height depth width length thickness": _LENGTH,
    "large big size": _SPACE,
    "hot warm cold temperature": _DEGREES,
    "loud": "(?:db|decibels?)",
}
_MEASURED = {
    word: re.compile(rf"(?:\d|\b(?:{_NUMBER_WORDS})\b)[\d.,]{{0,15}}[\s-]*(?:[^\W\d]+\s)?{unit}(?!\w)", re.IGNORECASE)
    for words, unit in _MEASURES.items()
    for word in words.split()
}
_ASKS_NUMBER = _any(
    r"\bhow (?:many|much|old|far|tall|high|deep|wide|large|big|heavy)\b",
    r"\bwie (?:viele?|alt|hoch|tief|weit|groß|schwer)\b",
    r"\b(?:combien|cuánt[oa]s?|quant[oiae]s?)\b|何人|いくつ|多少|几",
    r"\bwhat(?:'s| is| are)? the (?:\w+ )?(?:number|maximum|minimum|max|min|limit|speed|percentage|uptime)\b",
)
_ASKS_COUNT = re.compile(r"\bhow many ((?:[^\W\d]+ ?){1,3})|\bwie viele ((?:[^\W\d]+ ?){1,2})", re.IGNORECASE)
_ANYBODY = frozenset(("person",))
_COUNT_REACH = 3
_HAS_NUMBER = _any(rf"\d|[一二三四五六七八九十百千万]|\b(?:{_NUMBER_WORDS})\b")
_ASKS_REACH = _any(
    r"\b(?:phone|telephone|fax) number\b|\bnumber\b.*\bcall\b|\be-?mail(?: address)?\b|\btelefonnummer\b",
)
_HAS_REACH = _any(r"\S@\S|(?:\+|\b0)\d[\d /()-]{5,20}\d")
_ASKS_NAME = _any(
    r"\b(?:who|whom|whose|wer|wem|wen|qui|quién|quiénes|chi|quem)\b",
    r"\bwhat(?:'s| is| was| are) the name\b|\bwhat\b.*\b(?:called|named)\b|\bwie heißt\b",
    r"\b(?:which|what) (?:firm|company|person|man|woman|author|architect|bank|country|city|town)\b",
)
_ROLES = _any(
    r"\b(?:owner|manager|team|staff|members?|customers?|parents?|whoever|everyone|everybody|anyone|nobody|"
    r"administrators?|admins?|council|department|us|we|you)\b"
)
_LATER_CAPITAL = re.compile(r"(?<=[\w,;)\u2019'\"] )[^\W\d_a-z][\w-]+")
_ASKS_WAY = _any(
    r"^\W*(?:\w+ ){0,2}how (?:do|can|should|could|would|must|to|does one)\b",
    r"\bwhat (?:do|should|can|must) (?:i|we|you) do\b|\bwie (?:kann|muss|soll|mache|geht|lege|richte)\b",
)
_HAS_WAY = _any(
    r"^\W*(?:\d+[.)] |a: )?(?:to \w+|if \w+|please|press|open|choose|select|click|go|use|turn|switch|hold|write|ask|"
    r"give|send|call|run|type|enter|add|set|put|take|fill|visit|contact|find|start|pick|move|drag|report|download|"
    r"install|log|sign|make|create|request)\b",
    r"\byou (?:can|may|could|should|must|need|have to|find|choose)\b|\b(?:under|via|through|by) \w+",
    r"[,:;] (?:press|open|choose|select|click|go|use|turn|write|ask|type|copy|check)\b",
    r"\b(?:can|may) be \w+|\bare made\b",
    r"\bbitte\b|\bkönnen\b|\bkann\b|\bwird\b|\bwerden\b|\bmelden\b",
)
_ASKS_REASON = _any(
    r"\b(?:why|what for|for what reason|how come|warum|wieso|weshalb|pourquoi|por qué|perché|por que)\b"
)
_HAS_REASON = _any(
    r"\b(?:because|since|so that|due to|therefore|thus|as|for|to|if|means|caused?|reasons?)\b",
    r"\b(?:weil|da|denn|damit|um|parce|car|porque|perché)\b",
)
_ASKS_WHETHER = {
    "en": _any(
        r"^\W*(?:and |so |but |please )*"
        r"(?:is|are|was|were|do|does|did|can|could|may|will|would|should|must|has|have|had|am)\b"
    ),
    "de": _any(r"^\W*(?:und |aber )*(?:gibt|ist|sind|kann|können|darf|dürfen|muss|müssen|hat|haben|wird|werden)\b"),
}


class AnswerType(Enum):
    """What the answer should hold."""

    REACH = "reach"
    MONEY = "money"
    DURATION = "duration"
    FREQUENCY = "frequency"
    MEASURE = "measure"
    NUMBER = "number"
    TIME = "time"
    NAME = "name"
    REASON = "reason"
    WAY = "way"
    WHETHER = "whether"
    ANYTHING = "anything"


_ASKS = {
    AnswerType.REACH: _ASKS_REACH,
    AnswerType.MONEY: _ASKS_MONEY,
    AnswerType.DURATION: _ASKS_DURATION,
    AnswerType.FREQUENCY: _ASKS_FREQUENCY,
    AnswerType.MEASURE: _ASKS_MEASURE,
    AnswerType.NUMBER: _ASKS_NUMBER,
    AnswerType.TIME: _ASKS_TIME,
    AnswerType.NAME: _ASKS_NAME,
    AnswerType.REASON: _ASKS_REASON,
    AnswerType.WAY: _ASKS_WAY,
}
_HAS = {
    AnswerType.REACH: _HAS_REACH,
    AnswerType.MONEY: _HAS_MONEY,
    AnswerType.DURATION: _HAS_DURATION,
    AnswerType.FREQUENCY: _HAS_FREQUENCY,
    AnswerType.NUMBER: _HAS_NUMBER,
    AnswerType.TIME: _HAS_TIME,
    AnswerType.REASON: _HAS_REASON,
    AnswerType.WAY: _HAS_WAY,
}


_STRICT = frozenset(
    (
        AnswerType.REACH,
        AnswerType.MONEY,
        AnswerType.DURATION,
        AnswerType.FREQUENCY,
        AnswerType.MEASURE,
        AnswerType.NUMBER,
    )
)


class Asked:
    """What a question asks for: its type, and what a number has to count or measure.

    `strictly` says that nothing is an answer which does not hold such a thing.
    """

    def __init__(self, question: str, wanted: Sequence[Want], language: Language) -> None:
        self.kind = _kind_of(question, language)
        self.strictly = self.kind in _STRICT
        self.wants_name = self.kind is AnswerType.NAME
        self.wants_way = self.kind in (AnswerType.WAY, AnswerType.REASON)
        self._language = language
        self._terms = {want.term for want in wanted}
        self._has = _HAS.get(self.kind)
        self._counted: list[Want] = []
        if self.kind is AnswerType.MEASURE and (measured := _ASKS_MEASURE.search(question)):
            self._has = _MEASURED[(measured[1] or measured[2]).lower()]
        if self.kind is AnswerType.NUMBER and (counted := _ASKS_COUNT.search(question)):
            nouns = set(terms_of(counted[1] or counted[2], language)[:2]) - _ANYBODY
            self._counted = [want for want in wanted if want.term in nouns]

    def suits(self, sentence: str, terms: Sequence[str]) -> bool:
        """Say whether a sentence, with its terms in their order, holds what is asked for; never where that is anything.

        A name is a role, or a capitalised word that is neither its first nor one of the question's.
        """
        if self.kind is AnswerType.NAME:
            return _ROLES.search(sentence) is not None or any(
                word[0].isupper() and not self._terms.issuperset(terms_of(word, self._language))
                for word in _LATER_CAPITAL.findall(sentence)
            )
        if self._has is None or self._has.search(sentence) is None:
            return False
        return not self._counted or self._counts(terms)

    def _counts(self, terms: Sequence[str]) -> bool:
        return any(
            term[0].isdigit()
            and any(want.met_by(terms[place + 1 : place + 1 + _COUNT_REACH]) for want in self._counted)
            for place, term in enumerate(terms)
        )


def _kind_of(question: str, language: Language) -> AnswerType:
    for kind, asks in _ASKS.items():
        if asks.search(question):
            return kind
    whether = _ASKS_WHETHER.get(language.code)
    return AnswerType.WHETHER if whether is not None and whether.match(question) else AnswerType.ANYTHING
