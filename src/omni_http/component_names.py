"""Names of the OpenAPI document's components, as generators of clients will call their types.

Litestar names them after Omni's own classes: what is a `View` or of the `Wire` here is the thing itself to a client.
"""

import dataclasses
import re
from collections.abc import Iterator

from litestar.openapi.spec import OpenAPI, Reference

_PREFIX = "#/components/schemas/"
_PAGE = re.compile(r"Listing_(?:\w+\.)*(\w+?)_")


def client_name(name: str) -> str:
    """Return `Invoice` for `InvoiceView`, `Message` for `WireMessage`, and `JobPage` for a listing of `JobView`."""
    page = _PAGE.fullmatch(name)
    if page:
        return f"{client_name(page[1])}Page"
    return name.removesuffix("View").removeprefix("Wire")


def rename_components(document: OpenAPI) -> None:
    """Give every schema its client's name, where it is defined and wherever it is referred to."""
    schemas = document.components.schemas
    names = {name: client_name(name) for name in schemas}
    if len(set(names.values())) != len(names):
        raise ValueError("two components have one name")
    for found in _parts(document):
        if isinstance(found, Reference):
            name = found.ref.removeprefix(_PREFIX)
            found.ref = _PREFIX + names.get(name, name)
    for name, schema in schemas.items():
        if schema.title is not None:
            schema.title = names[name]
    document.components.schemas = {names[name]: schema for name, schema in schemas.items()}


def _parts(value: object, seen: set[int] | None = None) -> Iterator[object]:
    """Yield every part of the document once, however often it is used."""
    seen = set() if seen is None else seen
    if id(value) in seen or isinstance(value, str):
        return
    seen.add(id(value))
    yield value
    inner: list[object] = []
    if dataclasses.is_dataclass(value):
        inner = [getattr(value, field.name) for field in dataclasses.fields(value)]
    elif isinstance(value, dict):
        inner = list(value.values())
    elif isinstance(value, list | tuple):
        inner = list(value)
    for part in inner:
        yield from _parts(part, seen)
