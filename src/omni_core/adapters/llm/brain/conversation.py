"""Reading a conversation: which sentence is the question, and which ones are the material to answer it from.

The last message of the user holds the question. It is the first of these that exists:

1. its last sentence or else its first, if that ends with a question mark or asks for a summary;
2. its last sentence or else its first, if that begins as a question or a request does (`Tell me …`, `Where …`);
3. the last of its sentences that ends with a question mark;
4. its last sentence.

Everything else is material: what is left of that message, system messages, earlier turns, results of tools. Earlier
questions of the user (by the first rule) are not, nor is what omni-brain itself worded, nor are repetitions.
"""

import re
from collections.abc import Sequence

import msgspec

from omni_core.adapters.llm.brain.cues import is_instruction, is_question, wants_summary
from omni_core.adapters.llm.brain.sentences import split
from omni_core.adapters.llm.brain.wording import is_own_words
from omni_core.domain.llm.model import Message, Role

_LABEL_WORDS = 3
_WORD = re.compile(r"[^\W_]")
_MARK_UP = re.compile(r"</?[\w-]+>|`{3,}\w*")
_COLON = re.compile(r"[:\uff1a]\s+")


class Sentence(msgspec.Struct, frozen=True):
    """A sentence of the material: `number` counts within its message, `message` within the request, both from 1."""

    text: str
    message: int
    number: int
    role: Role


class Reading(msgspec.Struct, frozen=True):
    """A conversation, read.

    `request` is the sentence that holds the `question`, with what else it says: `In two sentences: who …?` `asked` is
    the number of the message that holds them, 0 for none.
    """

    request: str
    question: str
    asked: int
    material: tuple[Sentence, ...]


def read(messages: Sequence[Message]) -> Reading:
    """Return the question of a conversation, empty where no user speaks, and its material."""
    asked = max((index for index, message in enumerate(messages) if message.role is Role.USER), default=-1)
    request = question = ""
    material: list[Sentence] = []
    seen: set[str] = set()
    for index, message in enumerate(messages):
        sentences = [text for text in split(message.text) if _says_something(text)]
        if message.role is Role.USER:
            place = _place_of_question(sentences) if index == asked else _place_of_clear_question(sentences)
            request, question, sentences = _taken_out(sentences, place)
        number = 0
        for text in sentences:
            if _is_material(text, message.role) and text not in seen:
                seen.add(text)
                number += 1
                material.append(Sentence(text, index + 1, number, message.role))
    return Reading(request, question, asked + 1, tuple(material))


def _says_something(text: str) -> bool:
    return _WORD.search(text) is not None and _MARK_UP.fullmatch(text) is None


def _is_material(text: str, role: Role) -> bool:
    is_label = text.endswith(":") and len(text.split()) <= _LABEL_WORDS
    return not is_label and not (role is Role.ASSISTANT and is_own_words(text))


def _place_of_question(sentences: list[str]) -> int | None:
    last = len(sentences) - 1
    clear = _place_of_clear_question(sentences)
    if clear is not None or not sentences:
        return clear
    begun = next((place for place in (last, 0) if is_instruction(sentences[place])), None)
    if begun is not None:
        return begun
    return next((place for place in range(last, -1, -1) if is_question(sentences[place])), last)


def _place_of_clear_question(sentences: list[str]) -> int | None:
    ends = (len(sentences) - 1, 0) if sentences else ()
    return next((place for place in ends if _clearly_asks(sentences[place])), None)


def _taken_out(sentences: list[str], place: int | None) -> tuple[str, str, list[str]]:
    if place is None:
        return "", "", sentences
    question, rest = _at_colon(sentences[place])
    request = question if rest else sentences[place]
    return request, question, [*sentences[:place], *rest, *sentences[place + 1 :]]


def _clearly_asks(sentence: str) -> bool:
    return is_question(sentence) or wants_summary(sentence)


def _at_colon(sentence: str) -> tuple[str, list[str]]:
    # `Summarise this: It was …` and `Context: … Question: when did it …?` hold both on one line.
    colon = _COLON.search(sentence)
    if colon is None:
        return sentence, []
    before, after = sentence[: colon.start()], sentence[colon.end() :]
    if is_question(sentence):
        if is_instruction(before) and not is_instruction(after):
            return sentence, []
        return after, [] if is_instruction(before) or len(before.split()) <= _LABEL_WORDS else [before]
    if _clearly_asks(before) or is_instruction(before):
        return before, [after] if _says_something(after) else []
    return sentence, []
