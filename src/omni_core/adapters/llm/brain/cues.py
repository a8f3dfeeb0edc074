"""Words that show what a sentence wants: an answer, a summary, a number of sentences.

English, German, French, Spanish, Italian and Portuguese; of Chinese and Japanese the commonest requests.
"""

import re

_POLITE = (
    r"(?:please|kindly|now|and|so|(?:can|could|would|will) you(?: please)?|bitte|kannst du|können sie|s'il vous plaît|"
    r"por favor|per favore)[,\s]+"
)
_QUESTION_END = re.compile("[?\uff1f\u061f\u037e]$")
_ASKING = re.compile(
    rf"(?:{_POLITE})*(?:what|who|whom|whose|when|where|which|why|how|tell|answer|explain|list|name|find|give|describe|"
    r"identify|state|extract|quote|show|use|using|based on|according to|"
    r"was|wer|wann|wo|warum|wie|welche[rsnm]?|nenne|erkläre|finde|beantworte|"
    r"que|quoi|qui|quand|où|pourquoi|comment|combien|quel(?:le)?s?|réponds|répondez|trouve|cite|"
    r"qué|quién|cuándo|dónde|cuánt[oa]s?|cuál|responde|di|che|chi|quando|dove|perché|quant[oiae]|rispondi|"
    r"quem|onde|quant[oa]s|responda)\b",
    re.IGNORECASE,
)
_SUMMARY_OPENING = re.compile(
    rf"(?:{_POLITE})*(?:summari[sz]e|sum up|condense|shorten|(?:a |short |brief )*summary\b|fass\w*\b.*\bzusammen|"
    r"zusammenfass|résum|resum|riassum|riepilog|sintetizza|摘要)",
    re.IGNORECASE,
)
_SUMMARY_ANYWHERE = re.compile(
    r"\btl;?\s?dr\b|\b(?:give|write|make|provide|produce|need|want|get)\b.*\bsummary\b|"
    r"\b(?:key|main|most important) (?:points?|ideas?|takeaways?|facts?|messages?)\b|\bwichtigsten punkte\b|"
    r"\bpoints (?:clés|essentiels)\b|\bpuntos (?:clave|principales)\b|\bpunti (?:chiave|principali)\b|"
    r"\bpontos (?:chave|principais)\b|总结|總結|概括|要約して|まとめて",
    re.IGNORECASE,
)
_NUMBERS = {
    name: number
    for number, names in enumerate(
        (
            "one single ein einen einem eine un une uno una um uma 一",
            "two zwei deux dos due dois duas 二 两",
            "three drei trois tres tre três 三",
            "four vier quatre cuatro quattro quatro 四",
            "five fünf cinq cinco cinque 五",
        ),
        start=1,
    )
    for name in names.split()
}
_LENGTH = re.compile(
    rf"(\d{{1,3}}|{'|'.join(_NUMBERS)})[\s-]*(?:つの|个|個)?(?:\w+[\s-]+)?"
    r"(?:sentences?|lines?|(?:bullet |key |main )?points?|bullets?|ideas|takeaways|facts|sätze[n]?|satz|punkte[n]?|"
    r"phrases?|oraciones|oración|frases?|frasi|puntos?|punti|pontos?|句|文|点|ポイント)",
    re.IGNORECASE,
)


def is_question(sentence: str) -> bool:
    """Say whether a sentence ends as a question does."""
    return _QUESTION_END.search(sentence.rstrip("\"'”\u2019»)」 ")) is not None


def wants_summary(sentence: str) -> bool:
    """Say whether a sentence asks for a summary."""
    return _SUMMARY_OPENING.match(sentence) is not None or _SUMMARY_ANYWHERE.search(sentence) is not None


def is_instruction(sentence: str) -> bool:
    """Say whether a sentence begins as a question or a request does: weaker evidence than the two above."""
    return _ASKING.match(sentence) is not None


def sentences_wanted(instruction: str) -> int | None:
    """Return how many sentences an instruction asks for, at least 1, or None where it does not say."""
    found = _LENGTH.search(instruction)
    if found is None:
        return None
    number = found[1].lower()
    return max(1, int(number)) if number.isdigit() else _NUMBERS[number]


def without_length(instruction: str) -> str:
    """Return an instruction without the words that say how many sentences it wants."""
    return _LENGTH.sub(" ", instruction)
