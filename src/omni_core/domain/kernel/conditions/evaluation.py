"""Ask a condition of values in memory; the compiler to SQL means the same, and a property test holds them together."""

import math
import operator as compare
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from omni_core.domain.kernel.conditions.model import AllOf, AnyOf, Comparison, Condition, Not, Operator
from omni_core.domain.kernel.conditions.values import kind_of

_COMPARE: dict[Operator, Callable[[Any, Any], bool]] = {
    Operator.EQ: compare.eq,
    Operator.NE: compare.ne,
    Operator.LT: compare.lt,
    Operator.LE: compare.le,
    Operator.GT: compare.gt,
    Operator.GE: compare.ge,
    Operator.IN: lambda actual, wanted: actual in wanted,
    Operator.NOT_IN: lambda actual, wanted: actual not in wanted,
    Operator.CONTAINS: compare.contains,
    Operator.STARTS_WITH: str.startswith,
    Operator.ENDS_WITH: str.endswith,
}


def evaluate(condition: Condition, values: Mapping[str, object]) -> bool:
    """Tell whether `condition`, as `Fields.check` returned it, is true of `values`.

    `values` has every declared field under its public name, None where its value is missing; moments are aware, a
    JSON object is a dict as a JSON decoder makes it.
    """
    match condition:
        case AllOf(parts):
            return all(evaluate(part, values) for part in parts)
        case AnyOf(parts):
            return any(evaluate(part, values) for part in parts)
        case Not(part):
            return not evaluate(part, values)
        case Comparison(field, Operator.EXISTS, value):
            return (_value_at(field, values) is not None) is value
        case Comparison(field, operator, value):
            actual = _value_at(field, values)
            sample = value[0] if isinstance(value, tuple) else value
            return kind_of(actual) == kind_of(sample) and _COMPARE[operator](actual, value)


def _value_at(field: str, values: Mapping[str, object]) -> object:
    name, *path = field.split(".")
    value = values[name]
    for member in path:
        value = value.get(member) if isinstance(value, Mapping) else None
    if isinstance(value, float):
        # A float in a JSON object stands for the decimal number that was, or will be, written there.
        return Decimal(repr(value)) if math.isfinite(value) else None
    return value
