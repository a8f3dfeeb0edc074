"""Values that a JSON schema allows, its limits above all, for Hypothesis to draw from."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from hypothesis import strategies as st

DEEPEST = 4
# What does not print, only Unicode's tables say: a pattern cannot.
LETTERS = st.characters(exclude_categories=("Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"), include_characters="\n\t")
ZONES = st.sampled_from([UTC, timezone(timedelta(hours=13, minutes=45))])
EARLIEST, LATEST = datetime.fromisoformat("0001-01-02"), datetime.fromisoformat("9999-12-30")
moments = st.datetimes(EARLIEST, LATEST, timezones=ZONES)
anything = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(LETTERS, max_size=8),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(LETTERS, max_size=8), inner, max_size=2),
    max_leaves=4,
)


class Drawn:
    """Makes strategies of schemas; `components` are those that references lead to."""

    def __init__(self, components: dict[str, Any]) -> None:
        self._components = components

    def of(self, schema: dict[str, Any], depth: int = 0) -> st.SearchStrategy[Any]:
        """Return what `schema` allows. `not`, `if` and `allOf` are left to whoever validates."""
        if "$ref" in schema:
            return self.of(self._components[schema["$ref"].rpartition("/")[2]], depth)
        if "enum" in schema:
            return st.sampled_from(schema["enum"])
        if "anyOf" in schema:
            return st.one_of(*(self.of(one, depth) for one in schema["anyOf"]))
        if schema.get("type") == "array":
            return self._arrays(schema, depth)
        if schema.get("type") == "object":
            return self._objects(schema, depth)
        scalar = SCALARS.get(schema.get("type"))
        return anything if scalar is None else scalar(schema)

    def _arrays(self, schema: dict[str, Any], depth: int) -> st.SearchStrategy[Any]:
        shortest, longest = schema.get("minItems", 0), schema.get("maxItems", 3)
        most = min(longest, shortest + 3) if depth < DEEPEST else shortest
        return st.lists(self.of(schema.get("items", {}), depth + 1), min_size=shortest, max_size=most)

    def _objects(self, schema: dict[str, Any], depth: int) -> st.SearchStrategy[Any]:
        properties = {name: self.of(one, depth + 1) for name, one in schema.get("properties", {}).items()}
        required = {name: properties.pop(name) for name in schema.get("required", ())}
        if "propertyNames" not in schema and isinstance(schema.get("additionalProperties"), dict) and not properties:
            inner = self.of(schema["additionalProperties"], depth + 1)
            return st.dictionaries(st.text(LETTERS, min_size=1, max_size=6), inner, max_size=3)
        return st.fixed_dictionaries(required, optional=properties)


def _integers(schema: dict[str, Any]) -> st.SearchStrategy[int]:
    least, most = schema.get("minimum", -(2**63)), schema.get("maximum", 2**63 - 1)
    return st.sampled_from([least, most]) | st.integers(least, most)


def _numbers(schema: dict[str, Any]) -> st.SearchStrategy[float]:
    least, most = schema.get("minimum", schema.get("exclusiveMinimum", -1e9)), schema.get("maximum", 1e9)
    drawn = st.sampled_from([least, most]) | st.floats(least, most)
    return drawn.filter(lambda number: number > schema.get("exclusiveMinimum", -1e99))


def _texts(schema: dict[str, Any]) -> st.SearchStrategy[str]:
    shortest, longest = schema.get("minLength", 0), schema.get("maxLength", 10_000)
    if schema.get("format") == "date-time":
        return moments.map(datetime.isoformat)
    if schema.get("format") == "uuid":
        return st.uuids().map(str)
    if "pattern" not in schema:
        return st.text(LETTERS, min_size=shortest, max_size=min(longest, shortest + 20))
    # As JavaScript reads it: the end is the end, also before a line's.
    pattern = re.compile(schema["pattern"].removesuffix("$") + r"\Z" * schema["pattern"].endswith("$"))
    drawn = st.from_regex(pattern, alphabet=LETTERS)
    return drawn.filter(lambda text: shortest <= len(text) <= longest)


SCALARS: dict[str | None, Callable[[dict[str, Any]], st.SearchStrategy[Any]]] = {
    "null": lambda _: st.none(),
    "boolean": lambda _: st.booleans(),
    "integer": _integers,
    "number": _numbers,
    "string": _texts,
}
