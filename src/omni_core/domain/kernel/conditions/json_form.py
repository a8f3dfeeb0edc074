"""The form for programs, and the one that is stored: JSON.

`{"all": [...]}`, `{"any": [...]}`, `{"not": ...}`, and `{"field": "votes", "operator": "ge", "value": 3}`.
"""

import json
from typing import Any, NoReturn

import msgspec

from omni_core.domain.kernel.conditions.errors import InvalidCondition, below
from omni_core.domain.kernel.conditions.model import (
    MAX_DEPTH,
    AllOf,
    AnyOf,
    Comparison,
    Condition,
    Not,
    Operator,
    too_deep,
)
from omni_core.domain.kernel.conditions.values import read_number

_SHAPES = ['{"all": […]}', '{"any": […]}', '{"not": …}', '{"field": …, "operator": …, "value": …}']
_encoder = msgspec.json.Encoder(decimal_format="number")


def format_json(condition: Condition) -> str:
    """Write `condition` as JSON, numbers with all their digits."""
    return _encoder.encode(condition).decode()


def parse_json(text: str | bytes) -> Condition:
    """Read what `format_json` writes; raise `InvalidCondition` for anything else.

    It takes text rather than what another decoder made of it, because that would have made floats of numbers.
    """
    try:
        node = json.loads(
            text,
            parse_int=read_number,
            parse_float=read_number,
            parse_constant=_refuse_constant,
            object_pairs_hook=_object,
        )
    except RecursionError as error:
        raise too_deep("condition") from error
    except ValueError as error:
        raise InvalidCondition("this is not JSON", field="condition", allowed=_SHAPES) from error
    return _read(node, 1)


def _read(node: object, depth: int) -> Condition:
    if depth > MAX_DEPTH:
        raise too_deep()
    match node:
        case {"all": list(parts), **others} if not others:
            return AllOf(_read_each(parts, "all", depth))
        case {"any": list(parts), **others} if not others:
            return AnyOf(_read_each(parts, "any", depth))
        case {"not": part, **others} if not others:
            with below("not."):
                return Not(_read(part, depth + 1))
        case {"field": str(field), "operator": str(operator), "value": value, **others} if not others:
            return Comparison(field, _operator(operator), tuple(value) if isinstance(value, list) else value)
        case _:
            raise InvalidCondition("this is not the form of a condition", field="condition", allowed=_SHAPES)


def _read_each(parts: list[object], word: str, depth: int) -> tuple[Condition, ...]:
    read = []
    for index, part in enumerate(parts):
        with below(f"{word}[{index}]."):
            read.append(_read(part, depth + 1))
    return tuple(read)


def _operator(name: str) -> Operator:
    try:
        return Operator(name)
    except ValueError as error:
        allowed = [str(possible) for possible in Operator]
        raise InvalidCondition(f"{name[:50]!r} is not an operator", field="operator", allowed=allowed) from error


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _ in pairs}) < len(pairs):
        raise InvalidCondition("a name is there twice", field="condition", allowed=_SHAPES)
    return dict(pairs)


def _refuse_constant(name: str) -> NoReturn:
    raise InvalidCondition(f"{name} is not a number of JSON", field="condition", allowed=_SHAPES)
