"""The form for people: `status = new and votes >= 3 and not (title contains "dark mode" or data.month missing)`."""

import json
import re
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from omni_core.domain.kernel.conditions.errors import InvalidCondition, below
from omni_core.domain.kernel.conditions.model import (
    LISTS,
    MAX_DEPTH,
    TEXTS,
    AllOf,
    AnyOf,
    Comparison,
    Condition,
    Not,
    Operator,
    too_deep,
)
from omni_core.domain.kernel.conditions.values import Scalar, Value, read_number

_SIGNS = {
    Operator.EQ: "=",
    Operator.NE: "!=",
    Operator.LT: "<",
    Operator.LE: "<=",
    Operator.GT: ">",
    Operator.GE: ">=",
    Operator.IN: "in",
    Operator.NOT_IN: "not in",
    Operator.CONTAINS: "contains",
    Operator.STARTS_WITH: "starts_with",
    Operator.ENDS_WITH: "ends_with",
}
_OPERATORS = {sign: operator for operator, sign in _SIGNS.items()}
_EXISTENCE = {"exists": True, "missing": False}
_BOOLEANS = {"true": True, "false": False}
# As a value each of these is more often a slip than a text; in quotes they are texts.
_NO_BARE_TEXTS = {"and", "or", "not", "in", "null"}
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_SPACE = re.compile(r"\s*")
_TOKEN = re.compile(
    r"""(?P<string>"(?:[^"\\]|\\.)*")|(?P<plain>'(?:[^']|'')*')|(?P<sign><=|>=|!=|[=<>(),])"""
    r"""|(?P<word>[^\s()"',=<>!][^\s()",=<>!]*)|(?P<end>\Z)""",
    re.DOTALL,
)
# Every level of a tree is written in up to two: `not`, and the parentheses after it.
_MAX_NESTING = 2 * MAX_DEPTH


def format_condition(condition: Condition) -> str:
    """Write `condition` so that `parse_text` reads the same tree, moments and ids as the texts of them."""
    match condition:
        case AllOf((part,)):
            return f"all({format_condition(part)})"
        case AnyOf((part,)):
            return f"any({format_condition(part)})"
        case AllOf(parts):
            return " and ".join(map(_format_part, parts))
        case AnyOf(parts):
            return " or ".join(map(_format_part, parts))
        case Not(part):
            return f"not ({format_condition(part)})"
        case Comparison():
            return _format_comparison(condition)


def parse_text(text: str) -> Condition:
    """Read the form for people; raise `InvalidCondition` that says at which column what was expected."""
    return _Parser(text).parse()


def _format_comparison(comparison: Comparison) -> str:
    if comparison.operator == Operator.EXISTS:
        return f"{comparison.field} {'exists' if comparison.value else 'missing'}"
    return f"{comparison.field} {_SIGNS[comparison.operator]} {_format_value(comparison.value)}"


def _format_part(condition: Condition) -> str:
    written = format_condition(condition)
    compound = isinstance(condition, AllOf | AnyOf) and len(condition.conditions) > 1
    return f"({written})" if compound else written


def _format_value(value: Value) -> str:
    match value:
        case tuple():
            return f"({', '.join(map(_format_value, value))})"
        case bool():
            return "true" if value else "false"
        case int() | Decimal():
            return str(value)
        case datetime():
            return f'"{value.isoformat()}"'
        case str() | UUID():
            return json.dumps(str(value), ensure_ascii=False)


class _Token(NamedTuple):
    kind: str
    text: str
    column: int


def _tokens(text: str) -> Iterator[_Token]:
    position = 0
    while True:
        position = _SPACE.match(text, position).end()  # type: ignore[union-attr] # nothing matches as well
        found = _TOKEN.match(text, position)
        if found is None:
            raise _refusal(position + 1, "a closing quotation mark" if text[position] in "\"'" else "!=")
        yield _Token(found.lastgroup or "", found[0], position + 1)
        if found.lastgroup == "end":
            return
        position = found.end()


class _Parser:
    """Recursive descent: or, and, then not, parentheses and comparisons."""

    def __init__(self, text: str) -> None:
        self._tokens = list(_tokens(text))
        self._next = 0

    def parse(self) -> Condition:
        condition = self._any_of(1)
        if self._token.kind != "end":
            raise self._expected("and", "or", "the end")
        return condition

    def _any_of(self, depth: int) -> Condition:
        parts = [self._all_of(depth)]
        while self._accept("or"):
            parts.append(self._all_of(depth))
        return AnyOf(tuple(parts)) if len(parts) > 1 else parts[0]

    def _all_of(self, depth: int) -> Condition:
        parts = [self._term(depth)]
        while self._accept("and"):
            parts.append(self._term(depth))
        return AllOf(tuple(parts)) if len(parts) > 1 else parts[0]

    def _term(self, depth: int) -> Condition:
        if depth > _MAX_NESTING:
            raise too_deep(f"column {self._token.column}")
        if self._accept("not"):
            return Not(self._term(depth + 1))
        if self._accept("("):
            return self._closed(self._any_of(depth + 1))
        if self._accept("all", "("):
            return self._closed(AllOf((self._any_of(depth + 1),)))
        if self._accept("any", "("):
            return self._closed(AnyOf((self._any_of(depth + 1),)))
        return self._comparison()

    def _closed(self, condition: Condition) -> Condition:
        if not self._accept(")"):
            raise self._expected("and", "or", ")")
        return condition

    def _comparison(self) -> Condition:
        field = self._token
        if field.kind != "word":
            raise self._expected("a field", "not", "(")
        self._next += 1
        operator, value = self._question()
        with below(f"column {field.column} "):
            return Comparison(field.text, operator, value)

    def _question(self) -> tuple[Operator, Value]:
        for word, exists in _EXISTENCE.items():
            if self._accept(word):
                return Operator.EXISTS, exists
        for sign, operator in _OPERATORS.items():
            if self._accept(*sign.split()):
                return operator, self._list() if operator in LISTS else self._scalar(as_text=operator in TEXTS)
        raise self._expected(*_OPERATORS, *_EXISTENCE)

    def _list(self) -> tuple[Scalar, ...]:
        if not self._accept("("):
            raise self._expected("(")
        values = [self._scalar()]
        while self._accept(","):
            values.append(self._scalar())
        if not self._accept(")"):
            raise self._expected(",", ")")
        return tuple(values)

    def _scalar(self, *, as_text: bool = False) -> Scalar:
        token = self._token
        is_word = token.kind == "word"
        if token.kind in {"sign", "end"} or (is_word and token.text.lower() in _NO_BARE_TEXTS):
            raise self._expected("a value, in quotes where it is more than one plain word")
        self._next += 1
        if not is_word:
            return _unquoted(token)
        if as_text:
            return token.text
        if _NUMBER.fullmatch(token.text):
            with below(f"column {token.column} "):
                return read_number(token.text)
        return _BOOLEANS.get(token.text, token.text)

    @property
    def _token(self) -> _Token:
        return self._tokens[self._next]

    def _accept(self, *words: str) -> bool:
        """Pass over `words` if they are what comes next, in any case, not in quotes; tell whether they were."""
        ahead = self._tokens[self._next : self._next + len(words)]
        found = tuple(token.text.lower() for token in ahead if token.kind not in {"string", "plain"}) == words
        self._next += len(words) if found else 0
        return found

    def _expected(self, *allowed: str) -> InvalidCondition:
        return _refusal(self._token.column, *allowed)


def _refusal(column: int, *allowed: str) -> InvalidCondition:
    return InvalidCondition(
        f"at column {column} this was expected: {', '.join(allowed)}", field=f"column {column}", allowed=list(allowed)
    )


def _unquoted(token: _Token) -> str:
    if token.kind == "plain":
        # As SQL and shells have it: nothing is an escape in it but a quote, which is written twice.
        return token.text[1:-1].replace("''", "'")
    try:
        return str(json.loads(token.text, strict=False))
    except ValueError as error:
        raise _refusal(token.column, "escapes as in JSON") from error
