"""What may be asked of a thing: its fields, their kinds, and how each kind compares."""

from collections.abc import Mapping
from types import MappingProxyType
from uuid import UUID

from omni_core.domain.kernel.clock import parse_moment
from omni_core.domain.kernel.conditions.errors import InvalidCondition, below
from omni_core.domain.kernel.conditions.model import AllOf, AnyOf, Comparison, Condition, Not, Operator
from omni_core.domain.kernel.conditions.values import FieldKind, Scalar, Value, kind_of
from omni_core.domain.kernel.errors import InvalidValue

_SAME = (Operator.EQ, Operator.NE)
_ORDER = (Operator.LT, Operator.LE, Operator.GT, Operator.GE)
_LISTS = (Operator.IN, Operator.NOT_IN)
_TEXTS = (Operator.CONTAINS, Operator.STARTS_WITH, Operator.ENDS_WITH)

OPERATORS: Mapping[FieldKind, tuple[Operator, ...]] = MappingProxyType(
    {
        FieldKind.TEXT: (*_SAME, *_ORDER, *_LISTS, *_TEXTS, Operator.EXISTS),
        FieldKind.NUMBER: (*_SAME, *_ORDER, *_LISTS, Operator.EXISTS),
        FieldKind.MOMENT: (*_SAME, *_ORDER, *_LISTS, Operator.EXISTS),
        FieldKind.ID: (*_SAME, *_LISTS, Operator.EXISTS),
        FieldKind.BOOLEAN: (*_SAME, Operator.EXISTS),
        FieldKind.JSON: (Operator.EXISTS,),
    }
)
_WANTED = {
    FieldKind.TEXT: "a text (in quotes where it looks like a number)",
    FieldKind.NUMBER: "a number",
    FieldKind.BOOLEAN: "true or false",
    FieldKind.MOMENT: "an ISO 8601 date, or a time with an offset",
    FieldKind.ID: "a UUID",
    FieldKind.JSON: "a text, a number, true or false; a list holds one of these kinds",
}


class Fields:
    """The fields of a thing by their public names, each with its kind."""

    def __init__(self, kinds: Mapping[str, FieldKind]) -> None:
        self._kinds = dict(kinds)

    def check(self, condition: Condition) -> Condition:
        """Return `condition` with its values in the types of its fields: moments and ids, where they were texts.

        Only what comes from here is evaluated or compiled. Raises `InvalidCondition` for a field, operator or value
        that is not allowed here, naming what is.
        """
        match condition:
            case AllOf(parts):
                return AllOf(self._check_each(parts, "all"))
            case AnyOf(parts):
                return AnyOf(self._check_each(parts, "any"))
            case Not(part):
                with below("not."):
                    return Not(self.check(part))
            case Comparison(field, operator, value):
                kind = self._kind_asked(field, value)
                if operator not in OPERATORS[kind]:
                    allowed = [str(possible) for possible in OPERATORS[kind]]
                    raise InvalidCondition(f"{field} cannot be asked for {operator}", field="operator", allowed=allowed)
                return condition if operator == Operator.EXISTS else Comparison(field, operator, _convert(value, kind))

    def _check_each(self, parts: tuple[Condition, ...], word: str) -> tuple[Condition, ...]:
        checked = []
        for index, part in enumerate(parts):
            with below(f"{word}[{index}]."):
                checked.append(self.check(part))
        return tuple(checked)

    def _kind_asked(self, field: str, value: Value) -> FieldKind:
        """Return the kind of a field, or for a member of a JSON object the kind of what it is compared with."""
        name, _, path = field.partition(".")
        kind = self._kinds.get(name)
        if kind is None or (path and kind != FieldKind.JSON):
            names = [f"{name}.…" if kind == FieldKind.JSON else name for name, kind in self._kinds.items()]
            raise InvalidCondition(f"there is no field {field!r}", field="field", allowed=names)
        if not path:
            return kind
        kinds = {kind_of(one) for one in (value if isinstance(value, tuple) else (value,))}
        if len(kinds) > 1 or kinds & {FieldKind.MOMENT, FieldKind.ID, None}:
            raise _wanted(FieldKind.JSON)
        return kinds.pop() or FieldKind.JSON


def _convert(value: Value, kind: FieldKind) -> Value:
    return tuple(_convert_one(one, kind) for one in value) if isinstance(value, tuple) else _convert_one(value, kind)


def _convert_one(value: Scalar, kind: FieldKind) -> Scalar:
    if kind_of(value) == kind:
        return value
    if isinstance(value, str) and kind == FieldKind.MOMENT:
        try:
            return parse_moment(value, "value")
        except InvalidValue as error:
            raise _wanted(kind) from error
    if isinstance(value, str) and kind == FieldKind.ID:
        try:
            return UUID(value)
        except ValueError as error:
            raise _wanted(kind) from error
    raise _wanted(kind)


def _wanted(kind: FieldKind) -> InvalidCondition:
    return InvalidCondition(f"the value must be {_WANTED[kind]}", field="value", allowed=_WANTED[kind])
