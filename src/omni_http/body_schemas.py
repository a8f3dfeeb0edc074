"""The schemas of request bodies, as the decoder itself reads them.

Litestar's own leave out that unknown fields are refused, limits of 0, and limits inside of unions. What a type has no
words for, a struct says in its `more_schema`.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any, get_args, get_type_hints

import msgspec
from litestar import Litestar
from litestar.openapi.spec import OpenAPI, Schema
from litestar.routes import HTTPRoute

from omni_http.component_names import client_name

_REFERENCE = re.compile(r'(?<="#/components/schemas/)\w+(?=")')


class DecodersSchema(Schema):
    """A schema that is served as it was given."""

    def __init__(self, exact: dict[str, Any]) -> None:
        super().__init__(title=exact.get("title"))
        self._exact = exact

    def to_schema(self) -> dict[str, Any]:
        """Return what was given."""
        return self._exact


def describe_bodies(app: Litestar, document: OpenAPI) -> None:
    """Put the decoder's schemas in the place of Litestar's, under the names that clients know."""
    bodies = sorted(_bodies(app), key=str)
    _, found = msgspec.json.schema_components(bodies, ref_template="#/components/schemas/{name}")
    for struct in _structs(bodies):
        found[struct.__name__] |= getattr(struct, "more_schema", {})
    named = _REFERENCE.sub(lambda name: client_name(name[0]), msgspec.json.encode(found).decode())
    for name, schema in msgspec.json.decode(named, type=dict[str, dict[str, Any]]).items():
        title = client_name(name)
        if title not in document.components.schemas:
            raise ValueError(f"no endpoint documents the body {title}")
        document.components.schemas[title] = DecodersSchema({**schema, "title": title})


def _structs(types: Iterable[object]) -> set[type[msgspec.Struct]]:
    """Return every struct that bodies are made of, at any depth."""
    found: set[type[msgspec.Struct]] = set()
    waiting = list(types)
    while waiting:
        one = waiting.pop()
        if isinstance(one, type) and issubclass(one, msgspec.Struct):
            if one not in found:
                found.add(one)
                waiting += get_type_hints(one).values()
        else:
            waiting += get_args(one)
    return found


def _bodies(app: Litestar) -> Iterator[type[msgspec.Struct]]:
    handlers = (handler for route in app.routes if isinstance(route, HTTPRoute) for handler in route.route_handlers)
    for handler in handlers:
        body = handler.parsed_data_field
        if body is not None and issubclass(body.annotation, msgspec.Struct):
            yield body.annotation
