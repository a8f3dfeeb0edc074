"""The names that `omni_core` offers to other programs."""

import ast
import inspect
import pydoc
import re
from collections.abc import Iterable, Iterator
from dataclasses import is_dataclass
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import get_args, get_origin, get_type_hints

import pytest

import omni_core
from omni_core import (
    OPERATOR,
    ChatRequest,
    Cost,
    CreateTenant,
    Message,
    Month,
    Omni,
    PageRequest,
    Quantities,
    Role,
    SetBudget,
    Settings,
    UsageQuery,
    UsageSum,
    Window,
)
from omni_core.domain.kernel.stored import rebuilds
from omni_core.domain.llm import errors
from omni_core.testing.builders.metering import a_call_of_another_release


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


def test_help_lists_the_services_and_what_they_are() -> None:
    told = pydoc.plain(pydoc.render_doc(Omni))
    for name in (*Omni.__annotations__, "tenants", "keys", "authenticator", "catalogue", "chat"):
        listed = re.search(rf"^ \|  {name}\n \|      (.+)$", told, re.MULTILINE)
        assert listed is not None, name
        assert len(listed[1].split()) > 4, name


async def test_a_service_is_what_its_annotation_says() -> None:
    faces = get_type_hints(Omni, globalns={"omni_core": omni_core})
    async with Omni.open(memory=True) as omni:
        assert {name: type(getattr(omni, name)) for name in faces} == faces
        with pytest.raises(AttributeError):
            omni.billing = None  # type: ignore[assignment]


def test_every_error_that_a_provider_is_the_cause_of_can_be_caught_by_name() -> None:
    provider = {name for name in vars(errors) if name.startswith("Provider")} - {"ProviderExists", "ProviderInUse"}
    assert len(provider) >= 8
    assert provider | {"UnknownModel", "InvalidRequest", "UnsupportedFeature"} <= set(omni_core.__all__)


def test_costs_come_with_their_currency() -> None:
    call = rebuilds(a_call_of_another_release)()
    assert (call.cost.picos, call.cost.currency) == (call.cost_picos, call.currency)
    assert str(Cost(10_007_000_000, "USD")) == "0.010007 USD"
    assert str(UsageSum({}, 1, Quantities(), 1, "EUR").cost) == "0.000000000001 EUR"
    assert Cost(1_500_000_000_000, "USD").amount == "1.50"


async def test_what_is_read_of_an_omni_has_the_currency_of_its_settings() -> None:
    async with Omni.open(Settings(currency="EUR"), memory=True) as omni:
        tenant = await omni.tenants.create(OPERATOR, CreateTenant("acme", "Acme"))
        acme = omni.operator(tenant.id)
        await omni.budgets.create(acme, SetBudget(Window.MONTH, "1.00"))
        await omni.chat.complete(
            acme, ChatRequest("omni-brain", (Message.of(Role.USER, "It is noon. What time is it?"),))
        )
        now = datetime.now(UTC)
        query = UsageQuery(now - timedelta(days=1), now + timedelta(minutes=1))
        (used,) = await omni.metering.summary(acme, query)
        (event,) = (await omni.metering.events(acme, query, PageRequest())).items
        (budget,) = await omni.budgets.list(acme)
        invoice = await omni.billing.close(acme, Month.of(event.occurred_at), early=True)
        costs = [used.cost, event.cost, budget.spent, sum_of([line.exact for line in invoice.lines])]
        assert {cost.currency for cost in (*costs, budget.remaining, budget.reserved)} == {"EUR"}
        assert len({cost.picos for cost in costs}) == 1
        assert budget.remaining.picos == 10**12 - budget.spent.picos - budget.reserved.picos


def sum_of(costs: list[Cost]) -> Cost:
    return Cost(sum(cost.picos for cost in costs), costs[0].currency)


def test_a_name_that_is_not_there_is_an_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        omni_core.Nothing  # type: ignore[attr-defined]  # noqa: B018
