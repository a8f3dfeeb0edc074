"""Says in words what a setting may be, from its type."""

from typing import Any

from msgspec import inspect


def allowed_values(wanted: Any) -> str:  # noqa: ANN401 - any type that a field may have
    """Return what `wanted` takes: `a whole number from 1 to 200`, `auto, console or json`, `true or false`."""
    return _words(inspect.type_info(wanted))


def _words(kind: inspect.Type) -> str:
    words = "text"
    match kind:
        case inspect.Metadata(extra_json_schema={"title": str(title)}):
            words = title
        case inspect.Metadata():
            words = _words(kind.type)
        case inspect.UnionType():
            words = " or ".join(_words(part) for part in kind.types if not isinstance(part, inspect.NoneType))
        case inspect.IntType():
            words = f"a whole number from {kind.ge} to {kind.le}"
        case inspect.FloatType(gt=None):
            words = f"a number from {kind.ge:g} to {kind.le:g}"
        case inspect.FloatType():
            words = f"a number above {kind.gt:g}, up to {kind.le:g}"
        case inspect.BoolType():
            words = "true or false"
        case inspect.LiteralType():
            words = f"{', '.join(map(str, kind.values[:-1]))} or {kind.values[-1]}"
    return words
