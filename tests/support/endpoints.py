"""The endpoints as the OpenAPI document describes them, so that a test of all of them needs no word about a new one."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

METHODS = ("get", "post", "put", "patch", "delete")
# A value of each query parameter that some endpoint demands.
QUERY = {"since": "2020-01-01", "until": "2100-01-01", "month": "2026-11"}
_SCOPE = re.compile(r"\(scope `(?P<scope>[a-z:]+)`\)")


@dataclass(frozen=True)
class Endpoint:
    """One operation. `scope` is what its description names; `examples` are of its body; `query` is what it demands."""

    method: str
    path: str
    description: str
    is_public: bool
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
    def parameters(self) -> list[str]:
        """The names of what varies in the path."""
        return re.findall(r"{(\w+)}", self.path)

    @property
    def ids(self) -> list[str]:
        """Those of them that are ids of records."""
        return [name for name in self.parameters if name.endswith("_id")]

    @property
    def collection(self) -> str:
        """The path of the listing in which the record of its first id is found."""
        return self.path.partition("/{")[0]

    def request(self, values: Mapping[str, str | UUID]) -> dict[str, Any]:
        """Return the arguments of a request; what `values` lacks names nothing that there is."""
        path = self.path
        for name in self.parameters:
            path = path.replace(
                f"{{{name}}}", str(values.get(name) or (uuid4() if name in self.ids else "no-such-name"))
            )
        body = {"json": self.examples[0]} if self.examples else {}
        return {"method": self.method, "url": path, "params": self.query, **body}


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
    in_query = [one for one in parameters if one["in"] == "query"]
    content = operation.get("requestBody", {}).get("content", {})
    return Endpoint(
        method=method.upper(),
        path=path,
        description=operation.get("description", ""),
        is_public=operation.get("security", document.get("security")) == [],
        examples=tuple(example for media in content.values() for example in media["schema"].get("examples", ())),
        query={one["name"]: QUERY[one["name"]] for one in in_query if one["required"]},
        query_names=tuple(one["name"] for one in in_query),
    )
