"""The endpoints as the OpenAPI document describes them, so that a test of all of them needs no word about a new one."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from omni_core import Scope

METHODS = ("get", "post", "put", "patch", "delete")
# A value of each query parameter that some endpoint demands.
QUERY = {"since": "2020-01-01", "until": "2100-01-01", "month": "2026-11"}
_PARAMETER = re.compile(r"{\w+}")
_SCOPE = re.compile(r"\(scope `(?P<scope>[a-z:]+)`\)")


@dataclass(frozen=True)
class Endpoint:
    """One operation. `scope` is what its description names; `examples` are of its body; `query` is what it demands.

    What varies in its path is known by its place, the path up to and including it (`/v1/keys/{key_id}`): a name alone
    (`{item_id}`) may mean something else below another collection. `ids` are the places of records' ids; at the others
    stands a name that people chose.
    """

    method: str
    path: str
    description: str
    is_public: bool
    ids: tuple[str, ...]
    examples: tuple[Any, ...]
    query: Mapping[str, str]
    query_names: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def scope(self) -> str | None:
        found = _SCOPE.search(self.description)
        return found["scope"] if found else None

    @property
    def is_operators(self) -> bool:
        return self.scope == Scope.PLATFORM_ADMIN

    @property
    def places(self) -> tuple[str, ...]:
        """What varies in the path, outermost first."""
        return places_in(self.path)

    def request(self, values: Mapping[str, str | UUID]) -> dict[str, Any]:
        """Return the arguments of a request, with values by place; what they lack names nothing that there is."""

        def value(found: re.Match[str]) -> str:
            place = self.path[: found.end()]
            return str(values.get(place) or (uuid4() if place in self.ids else "no-such-name"))

        path = _PARAMETER.sub(value, self.path)
        body = {"json": self.examples[0]} if self.examples else {}
        return {"method": self.method, "url": path, "params": self.query, **body}


def places_in(path: str) -> tuple[str, ...]:
    """Return the places of a path, outermost first."""
    return tuple(path[: found.end()] for found in _PARAMETER.finditer(path))


def endpoints_of(document: Mapping[str, Any]) -> list[Endpoint]:
    """Return every endpoint of an OpenAPI document."""
    return [
        _endpoint(document, method, path, item[method])
        for path, item in sorted(document["paths"].items())
        for method in METHODS
        if method in item
    ]


def _endpoint(document: Mapping[str, Any], method: str, path: str, operation: Mapping[str, Any]) -> Endpoint:
    parameters = operation.get("parameters", ())
    ids = {one["name"] for one in parameters if one["in"] == "path" and _takes_an_id(one["schema"])}
    in_query = [one for one in parameters if one["in"] == "query"]
    content = operation.get("requestBody", {}).get("content", {})
    return Endpoint(
        method=method.upper(),
        path=path,
        description=operation.get("description", ""),
        is_public=operation.get("security", document.get("security")) == [],
        ids=tuple(place for place in places_in(path) if place.rpartition("{")[2].rstrip("}") in ids),
        examples=tuple(example for media in content.values() for example in media["schema"].get("examples", ())),
        query={one["name"]: QUERY[one["name"]] for one in in_query if one["required"]},
        query_names=tuple(one["name"] for one in in_query),
    )


def _takes_an_id(schema: Mapping[str, Any]) -> bool:
    """Tell whether an id stands there, alone or beside something else that names the same record."""
    pattern = schema.get("pattern")
    return schema.get("format") == "uuid" or (pattern is not None and re.fullmatch(pattern, str(uuid4())) is not None)
