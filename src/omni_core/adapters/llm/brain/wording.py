"""What omni-brain says in its own words. Everything else that it says is quoted."""

import re
from collections.abc import Sequence

NO_MATERIAL = (
    "I am omni-brain, an extractive engine: I answer questions about a text and summarise it, in the text's own "
    "sentences. I know nothing else. Send me a text, and a question about it or a request to summarise it."
)
NO_ANSWER = "I found no sentence that answers this."
_EARLIER_WORDS = frozenset(("Nothing in the text I was given answers that.",))

_SOURCES = re.compile(r"\[sentences? \d[^\]]*\]")
_OWN_WORDS = _EARLIER_WORDS | {NO_ANSWER, *re.split(r"(?<=\.) ", NO_MATERIAL)}


def is_own_words(sentence: str) -> bool:
    """Say whether a sentence of an earlier answer was omni-brain's own wording, and not a quotation."""
    return sentence in _OWN_WORDS or _SOURCES.fullmatch(sentence) is not None


def enumerated(numbers: Sequence[int]) -> str:
    """Return `sentence 2`, `sentences 2 and 5` or `sentences 2, 5 and 7`."""
    words = [str(number) for number in numbers]
    if len(words) == 1:
        return f"sentence {words[0]}"
    return f"sentences {', '.join(words[:-1])} and {words[-1]}"
