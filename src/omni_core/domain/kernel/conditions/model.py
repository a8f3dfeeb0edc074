"""The tree: comparisons of a field with a value, joined by all, any and not. Nothing out of bounds can be built."""

import re
from enum import StrEnum
from typing import TypeAlias

import msgspec

from omni_core.domain.kernel.conditions.errors import InvalidCondition
from omni_core.domain.kernel.conditions.values import MAX_LIST, Value, check_scalar
from omni_core.domain.kernel.stored import is_rebuilding

# Levels of the tree, the comparisons at its bottom included.
MAX_DEPTH = 10
MAX_COMPARISONS = 100
MAX_NAME = 200
_NAME = re.compile(r"\w[\w-]*(\.\w[\w-]*){0,9}")
# The text form could not tell them from its own words.
_RESERVED = {"and", "or", "not"}


class Operator(StrEnum):
    """How a field is compared. With a missing value every comparison is false, `NE` and `NOT_IN` included."""

    EQ = "eq"
    NE = "ne"
    LT = "lt"
    LE = "le"
    GT = "gt"
    GE = "ge"
    IN = "in"
    NOT_IN = "not_in"
    CONTAINS = "contains"
    STARTS_WITH = "starts_with"
    ENDS_WITH = "ends_with"
    EXISTS = "exists"


LISTS = frozenset({Operator.IN, Operator.NOT_IN})
TEXTS = frozenset({Operator.CONTAINS, Operator.STARTS_WITH, Operator.ENDS_WITH})


class Comparison(msgspec.Struct, frozen=True):
    """One question: does `field` (`status`, or `data.month` for a member of a JSON object) compare so with `value`?

    `value` is a tuple for `IN` and `NOT_IN`, True or False for `EXISTS`, a text for `CONTAINS`, `STARTS_WITH` and
    `ENDS_WITH`, one scalar for the others.
    """

    field: str
    operator: Operator
    value: Value

    def __post_init__(self) -> None:
        if is_rebuilding():
            return
        if len(self.field) > MAX_NAME or not _NAME.fullmatch(self.field) or self.field.lower() in _RESERVED:
            raise InvalidCondition(
                f"{self.field[:50]!r} cannot be a field's name", field="field", allowed="names joined by up to 9 dots"
            )
        if self.operator == Operator.EXISTS:
            if not isinstance(self.value, bool):
                raise InvalidCondition("exists is true or false", field="value", allowed=[True, False])
        elif self.operator in LISTS:
            self._check_list()
        elif self.operator in TEXTS and not isinstance(self.value, str):
            raise InvalidCondition(f"{self.operator} takes a text", field="value", allowed="a text")
        else:
            check_scalar(self.value)

    def _check_list(self) -> None:
        if not isinstance(self.value, tuple) or not 1 <= len(self.value) <= MAX_LIST:
            raise InvalidCondition(
                f"{self.operator} takes a list of 1 to {MAX_LIST} values",
                field="value",
                allowed=f"a list of 1 to {MAX_LIST} values",
            )
        for value in self.value:
            check_scalar(value)


class Not(msgspec.Struct, frozen=True):
    """True exactly where `condition` is false."""

    condition: "Condition" = msgspec.field(name="not")

    def __post_init__(self) -> None:
        _check_size(self)


class AllOf(msgspec.Struct, frozen=True):
    """True where every one of `conditions`, at least one, is true."""

    conditions: tuple["Condition", ...] = msgspec.field(name="all")

    def __post_init__(self) -> None:
        _check_size(self)


class AnyOf(msgspec.Struct, frozen=True):
    """True where some of `conditions`, at least one, is true."""

    conditions: tuple["Condition", ...] = msgspec.field(name="any")

    def __post_init__(self) -> None:
        _check_size(self)


Condition: TypeAlias = AllOf | AnyOf | Not | Comparison


def _check_size(condition: Condition) -> None:
    if is_rebuilding():
        return
    parts = _parts_of(condition)
    if not parts:
        raise InvalidCondition(
            "all and any take at least one condition", field="condition", allowed="one condition or more"
        )
    if _depth(condition) > MAX_DEPTH:
        raise too_deep()
    if _count(condition) > MAX_COMPARISONS:
        raise InvalidCondition(
            f"a condition has at most {MAX_COMPARISONS} comparisons",
            field="condition",
            allowed=f"up to {MAX_COMPARISONS} comparisons",
        )


def too_deep(field: str = "condition") -> InvalidCondition:
    """Return the refusal of a condition with more than 10 levels."""
    return InvalidCondition(
        f"a condition has at most {MAX_DEPTH} levels", field=field, allowed=f"up to {MAX_DEPTH} levels"
    )


def _parts_of(condition: Condition) -> tuple[Condition, ...]:
    match condition:
        case AllOf(parts) | AnyOf(parts):
            return parts
        case Not(part):
            return (part,)
        case Comparison():
            return ()


def _depth(condition: Condition) -> int:
    return 1 + max(map(_depth, _parts_of(condition)), default=0)


def _count(condition: Condition) -> int:
    return isinstance(condition, Comparison) + sum(map(_count, _parts_of(condition)))
