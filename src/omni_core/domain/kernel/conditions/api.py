"""What a context uses of conditions."""

from omni_core.domain.kernel.conditions.errors import InvalidCondition
from omni_core.domain.kernel.conditions.evaluation import evaluate
from omni_core.domain.kernel.conditions.fields import OPERATORS, Fields
from omni_core.domain.kernel.conditions.json_form import format_json, parse_json
from omni_core.domain.kernel.conditions.model import AllOf, AnyOf, Comparison, Condition, Not, Operator
from omni_core.domain.kernel.conditions.text_form import format_condition, parse_text
from omni_core.domain.kernel.conditions.values import FieldKind, Scalar, Value

__all__ = [
    "OPERATORS",
    "AllOf",
    "AnyOf",
    "Comparison",
    "Condition",
    "FieldKind",
    "Fields",
    "InvalidCondition",
    "Not",
    "Operator",
    "Scalar",
    "Value",
    "evaluate",
    "format_condition",
    "format_json",
    "parse_json",
    "parse_text",
    "read_condition",
]


def read_condition(text: str, fields: Fields) -> Condition:
    """Read a condition in either form, JSON where it begins with `{`, and check it against `fields`.

    Raises `InvalidCondition`.
    """
    return fields.check(parse_json(text) if text.lstrip().startswith("{") else parse_text(text))
