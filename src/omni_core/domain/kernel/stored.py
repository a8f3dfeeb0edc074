"""Rows outlive releases: what was stored is rebuilt as it is, and only what is new is checked.

A row may have been written by a later release, which knows more words, or by an earlier one, which allowed more.
Neither may break a read. So an adapter makes things of rows in functions that are marked with `rebuilds`, in which no
check of a constructor runs, and turns text into members of enumerations with `stored`, which knows every word.
"""

import copyreg
from collections.abc import Callable
from contextvars import ContextVar
from enum import StrEnum
from functools import wraps
from inspect import isasyncgenfunction, iscoroutinefunction, isgeneratorfunction
from typing import ParamSpec, TypeVar

from omni_core.domain.kernel.errors import InvalidValue

P = ParamSpec("P")
T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)
_rebuilding: ContextVar[bool] = ContextVar("rebuilding", default=False)


def is_rebuilding() -> bool:
    """Tell whether a row is being made a thing again: then no `__post_init__` checks or changes anything."""
    return _rebuilding.get()


def rebuilds(make: Callable[P, T]) -> Callable[P, T]:
    """Let a plain function build things that today's rules would refuse; raise `TypeError` for any other kind."""
    if iscoroutinefunction(make) or isgeneratorfunction(make) or isasyncgenfunction(make):
        raise TypeError("a function that can be suspended would rebuild nothing by the time it runs")

    @wraps(make)
    def rebuild(*args: P.args, **kwargs: P.kwargs) -> T:
        before = _rebuilding.set(True)
        try:
            return make(*args, **kwargs)
        finally:
            _rebuilding.reset(before)

    return rebuild


def stored(words: type[E], text: str) -> E:
    """Return the member of `words` that a row names; for a word that this release does not know, a stand-in.

    A stand-in is of the same class, equals its text and is no member: it is in no list of them, `is` none of them, and
    `words(text)` goes on refusing it. So whoever decides by members has to name those that allow something.
    """
    member = words._value2member_map_.get(text)
    if isinstance(member, words):
        return member
    stand_in = str.__new__(words, text)
    stand_in._name_ = stand_in._value_ = text
    # By its value an enumeration's own way of copying would look for a member.
    copyreg.pickle(words, _by_text)
    return stand_in


def is_known(word: StrEnum) -> bool:
    """Tell whether a word is a member of its enumeration, and no stand-in."""
    return word._value_ in type(word)._value2member_map_


def check_word(words: type[StrEnum], word: object, field: str) -> None:
    """Raise `InvalidValue` that names `field` unless `word` is a member of `words`: neither its text nor a stand-in.

    A text would be stored as it is, and pass for a member until somebody asks what it `is`.
    """
    if not isinstance(word, words) or not is_known(word):
        allowed = [member.value for member in words]
        raise InvalidValue(f"{field} must be a {words.__name__}", field=field, allowed=allowed)


def _by_text(word: E) -> tuple[Callable[[type[E], str], E], tuple[type[E], str]]:
    return stored, (type(word), word.value)
