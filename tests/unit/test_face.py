"""The names that `omni_core` offers to other programs."""

import ast
import inspect
from collections.abc import Iterable, Iterator
from dataclasses import is_dataclass
from importlib import import_module
from pathlib import Path
from typing import get_args, get_origin, get_type_hints

import pytest

import omni_core
from omni_core import Omni


def imported_for_type_checkers() -> dict[str, str]:
    """Return the home of each name that the module imports for type checkers alone."""
    tree = ast.parse(Path(inspect.getfile(omni_core)).read_text())
    blocks = [node for node in tree.body if isinstance(node, ast.If) and isinstance(node.test, ast.Name)]
    return {
        alias.asname or alias.name: str(statement.module)
        for block in blocks
        for statement in block.body
        if isinstance(statement, ast.ImportFrom)
        for alias in statement.names
    }


def test_type_checkers_and_programs_find_the_same_names() -> None:
    homes = imported_for_type_checkers()
    assert sorted([*homes, "__version__"]) == sorted(omni_core.__all__) == sorted(dir(omni_core))
    for name, home in homes.items():
        # `from omni_core import billing` gives what `omni_core.domain.billing.api` offers.
        wanted = "api" if home == f"omni_core.domain.{name}" else name
        assert getattr(omni_core, name) is getattr(import_module(home), wanted)


def services() -> Iterator[type]:
    """Yield every class that an attribute of `Omni` is, or that one of several services there is."""
    for face in get_type_hints(Omni, globalns={"omni_core": omni_core}).values():
        yield from get_type_hints(face).values() if is_dataclass(face) else (face,)


def test_what_services_take_and_return_can_be_named() -> None:
    contexts = {name: getattr(omni_core, name) for name in Omni.__annotations__}
    named = {*omni_core.__all__, *(name for context in contexts.values() for name in context.__all__)}
    found = list(services())
    assert len(found) >= 10
    unnamed = {
        (service.__name__, method.__name__, one.__name__)
        for service in found
        for method in vars(service).values()
        if inspect.iscoroutinefunction(method) and not method.__name__.startswith("_")
        for hint in get_type_hints(method).values()
        for one in classes_in(hint)
        if one.__module__.startswith("omni_core") and one.__name__ not in named
    }
    # Transactions come from adapters and are handed on; nobody makes one.
    assert {one for one in unnamed if one[2] != "Transaction"} == set()


@pytest.mark.parametrize("context", sorted(Omni.__annotations__))
def test_a_context_offers_what_its_service_is(context: str) -> None:
    face = get_type_hints(Omni, globalns={"omni_core": omni_core})[context]
    assert getattr(getattr(omni_core, context), face.__name__) is face


def classes_in(hint: object) -> Iterator[type]:
    """Yield the classes in an annotation, at any depth."""
    if isinstance(hint, list | tuple):
        inner: Iterable[object] = hint
    else:
        inner = get_args(hint)
        origin = get_origin(hint) or hint
        if isinstance(origin, type):
            yield origin
    for one in inner:
        yield from classes_in(one)


def test_a_name_that_is_not_there_is_an_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        omni_core.Nothing  # type: ignore[attr-defined]  # noqa: B018
