"""What a thing is compared with: texts, exact numbers, booleans, moments and ids, all of them bounded."""

from datetime import datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from uuid import UUID

from omni_core.domain.kernel.conditions.errors import InvalidCondition

MAX_TEXT = 1_000
MAX_LIST = 200
# Digits before the point, and digits after it.
MAX_DIGITS = 100
_TOO_LARGE = 10**MAX_DIGITS

Scalar = str | int | Decimal | bool | datetime | UUID
Value = Scalar | tuple[Scalar, ...]


class FieldKind(StrEnum):
    """What a field holds. Members of a `JSON` object are asked for by a path; what they hold, the stored value says."""

    TEXT = "text"
    NUMBER = "number"
    BOOLEAN = "boolean"
    MOMENT = "moment"
    ID = "id"
    JSON = "json"


def kind_of(value: object) -> FieldKind | None:
    """Tell the kind of one value, None for what no field holds; a float is the number that JSON would write for it."""
    match value:
        case bool():
            return FieldKind.BOOLEAN
        case int() | Decimal() | float():
            return FieldKind.NUMBER
        case str():
            return FieldKind.TEXT
        case datetime():
            return FieldKind.MOMENT
        case UUID():
            return FieldKind.ID
        case _:
            return None


def read_number(text: str) -> int | Decimal:
    """Read a number as JSON writes it, exactly; 1.0 is 1. Raises `InvalidCondition` for one out of bounds."""
    try:
        number = Decimal(text)
    except InvalidOperation as error:  # an exponent beyond what even a Decimal holds
        raise _out_of_bounds() from error
    check_number(number)
    whole = int(number)
    return whole if whole == number else number


def check_number(number: int | Decimal) -> None:
    """Raise `InvalidCondition` for what is no number or has more than 100 digits before or after its point."""
    if isinstance(number, Decimal):
        exponent = number.as_tuple().exponent
        # `adjusted` and not the value: 0E+999999 is zero, and would be written with a million of them.
        if not isinstance(exponent, int) or exponent < -MAX_DIGITS or number.adjusted() >= MAX_DIGITS:
            raise _out_of_bounds()
    elif not -_TOO_LARGE < number < _TOO_LARGE:
        raise _out_of_bounds()


def check_text(text: str) -> None:
    """Raise `InvalidCondition` for a text that is too long or that PostgreSQL cannot hold."""
    if len(text) > MAX_TEXT:
        raise InvalidCondition(
            f"a text has at most {MAX_TEXT} characters", field="value", allowed=f"up to {MAX_TEXT} characters"
        )
    if any(sign == "\0" or "\ud800" <= sign <= "\udfff" for sign in text):
        raise InvalidCondition(
            "a text holds neither NUL nor half a character", field="value", allowed="Unicode without NUL and surrogates"
        )


def check_scalar(value: object) -> None:
    """Raise `InvalidCondition` unless `value` is a `Scalar` within its bounds."""
    match value:
        case str():
            check_text(value)
        case bool() | UUID():
            pass
        case int() | Decimal():
            check_number(value)
        case datetime() if value.tzinfo is not None:
            pass
        case _:
            raise InvalidCondition(
                "a value is a text, a number, true or false", field="value", allowed="a text, a number, true or false"
            )


def _out_of_bounds() -> InvalidCondition:
    return InvalidCondition(
        f"a number has at most {MAX_DIGITS} digits before its point and {MAX_DIGITS} after it",
        field="value",
        allowed=f"below 10^{MAX_DIGITS}, with up to {MAX_DIGITS} decimal places",
    )
