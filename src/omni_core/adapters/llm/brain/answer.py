"""The answer to a conversation: sentences of its text, and a line that says which ones."""

import json
from collections import Counter
from collections.abc import Sequence
from itertools import groupby

import msgspec

from omni_core.adapters.llm.brain.conversation import Reading, Sentence, read
from omni_core.adapters.llm.brain.cues import sentences_wanted, wants_summary, without_length
from omni_core.adapters.llm.brain.languages import Language, language_of
from omni_core.adapters.llm.brain.ranking import rank
from omni_core.adapters.llm.brain.selection import choose
from omni_core.adapters.llm.brain.summary import central
from omni_core.adapters.llm.brain.terms import words_of
from omni_core.adapters.llm.brain.wording import NO_ANSWER, NO_MATERIAL, enumerated
from omni_core.domain.llm.model import Message, Role

LONGEST_ANSWER = 3
"""Sentences of an answer to a question, where the question does not say how many."""
NEAR = 0.5
"""A further sentence joins the answer where its odds are at least this share of the best one's."""
LONGEST_SUMMARY = 5
MOST = 200
"""Candidates that are compared with one another, and so the most sentences of any answer."""
_SUMMARY_SHARE = 4
_LANGUAGE_SAMPLE = 50
"""Sentences of the material that are looked at to tell its language."""


class Answer(msgspec.Struct, frozen=True):
    """`words` are omni-brain's own where `used` is empty; otherwise they are the used sentences, a line each."""

    words: str
    used: tuple[Sentence, ...] = ()
    sources: str = ""

    def as_text(self) -> str:
        """Return the answer for people: its words, and a line with its sources."""
        return f"{self.words}\n\n{self.sources}" if self.used else self.words

    def as_json(self) -> str:
        """Return the answer for programs: `{"answer": …, "sentences": [{"message": 1, "sentence": 2}, …]}`."""
        used = [{"message": sentence.message, "sentence": sentence.number} for sentence in self.used]
        return json.dumps({"answer": self.words, "sentences": used}, ensure_ascii=False)


def answer(messages: Sequence[Message]) -> Answer:
    """Answer the question of a conversation from the rest of it, or say that this cannot be done."""
    reading = read(messages)
    if not reading.question or not reading.material:
        return Answer(NO_MATERIAL)
    language = language_in(reading)
    find = _summary if wants_summary(reading.question) else _answers
    used = find(reading, language)
    if not used:
        return Answer(NO_ANSWER)
    return Answer("\n".join(sentence.text for sentence in used), tuple(used), _sources(used, reading.material))


def language_in(reading: Reading) -> Language:
    """Return the language of a question and its material."""
    sample = [reading.question, *(sentence.text for sentence in reading.material[:_LANGUAGE_SAMPLE])]
    return language_of([word for text in sample for word in words_of(text)])


def _answers(reading: Reading, language: Language) -> list[Sentence]:
    ranked = rank(without_length(reading.question), reading.material, language)
    near = [candidate for candidate in ranked if candidate.score >= NEAR * ranked[0].score]
    places = choose(near[:MOST], sentences_wanted(reading.request) or LONGEST_ANSWER)
    return [reading.material[place] for place in places]


def _summary(reading: Reading, language: Language) -> list[Sentence]:
    pool = _summarised(reading)
    length = sentences_wanted(reading.request) or min(LONGEST_SUMMARY, -(-len(pool) // _SUMMARY_SHARE))
    return [pool[place] for place in choose(central(pool, language), length)]


def _summarised(reading: Reading) -> list[Sentence]:
    # What came with the request is what it means; standing instructions are summarised only if nothing else is there.
    beside = [sentence for sentence in reading.material if sentence.message == reading.asked]
    spoken = [sentence for sentence in reading.material if sentence.role is not Role.SYSTEM]
    return beside or spoken or list(reading.material)


def _sources(used: Sequence[Sentence], material: Sequence[Sentence]) -> str:
    totals = Counter(sentence.message for sentence in material)
    groups = [
        (message, f"{enumerated([sentence.number for sentence in group])} of {totals[message]}")
        for message, group in groupby(used, key=lambda sentence: sentence.message)
    ]
    if len(totals) == 1:
        return f"[{groups[0][1]}]"
    return f"[{'; '.join(f'{which} in message {message}' for message, which in groups)}]"
