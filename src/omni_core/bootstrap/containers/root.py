"""Joins the containers of all contexts, each after those that it stands on.

A context's container is the one class of `containers/<context>.py`. It names what it stands on (`platform`, `pricing`)
as a `DependenciesContainer`, and says what concerns the whole:

- `face`: what `omni.<context>` is;
- `opens`: what has to be open before it can be wired: an asynchronous context manager for each of its `Dependency`s;
- `maintains`: what is to be done each second while Omni is open;
- `closes`: what is to be done at the end;
- `subscriptions`: what it does when something happened elsewhere.

Whoever forgets one of the last four has none of it. Nothing here changes with a new context.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager
from graphlib import TopologicalSorter
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from dependency_injector import containers, providers

from omni_core.bootstrap.premises import Premises

PLATFORM = "platform"
EVENTS = "events"
Part = type[containers.DeclarativeContainer]
Act = Callable[[], Awaitable[None]]
Opener = Callable[[Premises], AbstractAsyncContextManager[Any]]


def installed_parts() -> dict[str, Part]:
    """Return the containers of the platform and of all contexts by name, lower ones first."""
    here = __name__.rpartition(".")[0]
    names = {module.name for module in iter_modules(import_module(here).__path__)} - {"root"}
    return in_order({name: _part_in(f"{here}.{name}") for name in sorted(names)})


def in_order(parts: Mapping[str, Part]) -> dict[str, Part]:
    """Return the parts, each after those that it stands on; among equals the order is that of their names."""
    graph = {name: sorted(stands_on(part)) for name, part in sorted(parts.items())}
    return {name: parts[name] for name in TopologicalSorter(graph).static_order()}


def stands_on(part: Part) -> set[str]:
    """Return the names of the containers that a container wants to be handed."""
    return {name for name, one in part.providers.items() if isinstance(one, providers.DependenciesContainer)}


def _part_in(module: str) -> Part:
    own: list[Part] = [
        found
        for found in vars(import_module(module)).values()
        if isinstance(found, type(containers.DeclarativeContainer)) and found.__module__ == module
    ]
    if len(own) != 1:
        raise TypeError(f"{module} must hold one container, and holds {len(own)}")
    return own[0]


def openers_of(part: Part) -> Mapping[str, Opener]:
    """Return what has to be opened for a container, by the name of the dependency that it becomes."""
    opens: Mapping[str, Opener] = getattr(part, "opens", {})
    return opens


class Wiring:
    """Everything, wired: `wiring.part("billing").billing()` is the service. Services are made when first asked for.

    `opened` are what each part's `opens` gave, by the part's name, and what else is handed in by the same names.
    """

    def __init__(self, parts: Mapping[str, Part], opened: Mapping[str, Mapping[str, object]]) -> None:
        self._parts: dict[str, Any] = {}
        for name, part in parts.items():
            wired = part(**{lower: self._parts[lower] for lower in sorted(stands_on(part))})
            given = opened.get(name, {})
            wired.override_providers(**{one: providers.Object(value) for one, value in given.items()})
            wired.check_dependencies()
            self._parts[name] = wired
        if EVENTS in self._parts:
            # Known once all are there, and made when it is first asked for.
            self._parts[EVENTS].everybodys.override(providers.Callable(lambda: tuple(self.subscriptions())))

    @property
    def contexts(self) -> tuple[str, ...]:
        """The names of all contexts, lower ones first."""
        return tuple(name for name in self._parts if name != PLATFORM)

    def part(self, name: str) -> Any:  # noqa: ANN401 - a container has an attribute for each of its providers
        """Return a context's container, or `platform`."""
        return self._parts[name]

    def face(self, context: str) -> object:
        """Return what `omni.<context>` is."""
        return self._parts[context].face()

    def maintenance(self) -> Iterator[Act]:
        """Yield what is to be done each second, of lower parts first."""
        for part in self._parts.values():
            yield from _listed(part, "maintains")

    def closing(self) -> Iterator[Act]:
        """Yield what is to be done at the end, of higher parts first, for they still write to lower ones."""
        for part in reversed(self._parts.values()):
            yield from _listed(part, "closes")

    def subscriptions(self) -> Iterator[Any]:
        """Yield the subscriptions of all contexts."""
        for part in self._parts.values():
            yield from _listed(part, "subscriptions")


def _listed(part: Any, name: str) -> Iterator[Any]:  # noqa: ANN401 - a container
    if name in part.providers:
        yield from getattr(part, name)()
