"""The names that `omni_core` offers to other programs."""

import ast
import inspect
from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path
from typing import get_args, get_origin, get_type_hints

import pytest

import omni_core
from omni_core.domain.billing.api import Billing
from omni_core.domain.budgets.api import Budgets
from omni_core.domain.jobs.api import Jobs
from omni_core.domain.llm.api import Catalogue, Gateway
from omni_core.domain.metering.api import Metering
from omni_core.domain.pricing.api import Pricing
from omni_core.domain.tenancy.api import ApiKeys, Authenticator, Tenants


def imported_for_type_checkers() -> dict[str, str]:
    """Return the home of each name that the module imports for type checkers alone."""
    tree = ast.parse(Path(inspect.getfile(omni_core)).read_text())
    blocks = [node for node in tree.body if isinstance(node, ast.If) and isinstance(node.test, ast.Name)]
    return {
        alias.name: str(statement.module)
        for block in blocks
        for statement in block.body
        if isinstance(statement, ast.ImportFrom)
        for alias in statement.names
    }


def test_type_checkers_and_programs_find_the_same_names() -> None:
    homes = imported_for_type_checkers()
    assert sorted([*homes, "__version__"]) == sorted(omni_core.__all__) == sorted(dir(omni_core))
    for name, home in homes.items():
        assert getattr(omni_core, name) is getattr(import_module(home), name)


def test_what_services_take_and_return_can_be_named() -> None:
    unnamed = {
        (service.__name__, method.__name__, found.__name__)
        for service in (Tenants, ApiKeys, Authenticator, Catalogue, Gateway, Metering, Pricing, Budgets, Billing, Jobs)
        for method in vars(service).values()
        if inspect.iscoroutinefunction(method) and not method.__name__.startswith("_")
        for hint in get_type_hints(method).values()
        for found in classes_in(hint)
        if found.__module__.startswith("omni_core") and found.__name__ not in omni_core.__all__
    }
    # Transactions come from adapters and are handed on; nobody makes one.
    assert {one for one in unnamed if one[2] != "Transaction"} == set()


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
