"""What would be forgotten in silence: each guard returns what was, by name, and an empty list where nothing was.

tests/architecture/test_guards.py shows each of them one mistake, and calls it on the house as it is.
"""

import ast
import inspect
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import msgspec
from dependency_injector import providers

from omni_core.bootstrap.settings import Section, Setting
from omni_core.bootstrap.settings.allowed import allowed_values
from omni_core.domain.kernel.events import Event


def unmounted_controllers(folder: Path, mounted: Collection[type]) -> list[str]:
    """Return the controllers that are written in a folder, at any depth, but serve nothing."""
    serving = {f"{one.__module__.rpartition('.')[2]}.{one.__name__}" for one in mounted}
    written = {
        f"{path.stem}.{node.name}"
        for path in folder.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef) and any(ast.unparse(parent).endswith("Controller") for parent in node.bases)
    }
    return sorted(written - serving)


def unmounted_commands(folder: Path, called: Collection[str]) -> list[str]:
    """Return the groups and commands that are written in a folder, at any depth, but cannot be called."""
    written = {
        name
        for path in folder.rglob("*.py")
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        for name in _commands_in(node)
    }
    return sorted(written - set(called))


def _commands_in(node: ast.stmt) -> Iterator[str]:
    match node:
        case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(func=function)):
            if ast.unparse(function) in {"commands", "typer.Typer"}:
                yield name
        case ast.FunctionDef(name=name, decorator_list=decorators):
            if any(ast.unparse(one).startswith("alone(") for one in decorators):
                yield name


def shared_event_types(events: Iterable[type[Event]]) -> list[str]:
    """Return the types that two events go by: whoever reacts to one would be handed the other."""
    classes: defaultdict[str, set[str]] = defaultdict(set)
    for event in events:
        if "event_type" in vars(event):
            classes[event.event_type].add(f"{event.__module__}.{event.__qualname__}")
    return sorted(name for name, found in classes.items() if len(found) > 1)


def events_below(parent: type[Event]) -> Iterator[type[Event]]:
    """Yield every event of Omni's own that is loaded."""
    for child in parent.__subclasses__():
        if child.__module__.startswith("omni_"):
            yield child
        yield from events_below(child)


def contexts_without_page(contexts: Iterable[str], index: str) -> list[str]:
    """Return the contexts to whose page the index of the documentation has no link."""
    return [context for context in contexts if f"(contexts/{context}.md)" not in index]


def settings_without_row(settings: Iterable[Setting], page: str) -> list[str]:
    """Return the settings that the page of settings does not list as they are."""
    return [setting.name for setting in settings if row_of(setting) not in page]


def row_of(setting: Setting) -> str:
    """Return the row of a setting on the page of settings."""
    cells = [f"`{setting.variable}`", f"`{setting.name}`", setting.description, allowed_values(setting.field.type)]
    return f"| {' | '.join(cells)} |"


def sections_left_out(written: Iterable[type[Section]], settings: type[msgspec.Struct]) -> list[str]:
    """Return the sections of settings that are written, but that no field of `settings` holds."""
    held = {field.type for field in msgspec.structs.fields(settings)}
    return sorted(section.__name__ for section in written if section not in held)


def misfits(wired: Any) -> list[str]:
    """Return what the providers of a wired container hand to a constructor that does not fit its annotations.

    Two arguments in the wrong order are found by the methods that the parameters' protocols demand.
    """
    found = []
    for name, provider in wired.providers.items():
        for maker in _makers(provider):
            found += [f"{name}: {problem}" for problem in _misfits_of(maker)]
    return found


def _makers(provider: Any) -> Iterator[Any]:
    """Yield what makes an object itself, also behind a selector: of those to select from, the one for this storage."""
    if isinstance(provider, providers.Selector):
        chosen: Any = provider
        yield from _makers(chosen.providers[chosen.selector()])
    elif isinstance(provider, (providers.Factory, providers.BaseSingleton)) and inspect.isclass(provider.provides):
        yield provider


def _misfits_of(maker: Any) -> Iterator[str]:
    made = maker.provides
    hints = get_type_hints(made.__init__)
    names = list(inspect.signature(made).parameters)
    handed: Sequence[Any] = maker.args
    arguments: Mapping[str, Any] = {**dict(zip(names, handed, strict=False)), **maker.kwargs}
    if len(handed) > len(names):
        yield f"{made.__name__} is handed {len(handed)} arguments and takes {len(names)}"
    for name, argument in arguments.items():
        value = argument() if isinstance(argument, providers.Provider) else argument
        if name not in hints:
            yield f"{made.__name__} takes no {name}"
        elif not fits(value, hints[name]):
            yield f"{made.__name__}({name}: {_written(hints[name])}) is handed a {type(value).__name__}"


def fits(value: object, hint: Any) -> bool:
    """Tell whether a value is what an annotation asks for, as far as can be seen without calling it."""
    origin, inner = get_origin(hint), get_args(hint)
    if hint is Any:
        return True
    if origin is not None and not isinstance(origin, type):
        return any(fits(value, one) for one in inner)  # a union
    if getattr(hint, "_is_protocol", False) or getattr(origin, "_is_protocol", False):
        return not _lacking(value, origin or hint)
    wanted = origin or hint
    if wanted is float:
        return isinstance(value, int | float)
    return not isinstance(wanted, type) or isinstance(value, wanted)


def _lacking(value: object, protocol: Any) -> list[str]:
    """Return the methods of a protocol that a value does not have with the same parameters."""
    return [
        name
        for name in _members(protocol)
        if not hasattr(value, name) or not _callable_alike(getattr(protocol, name, None), getattr(value, name))
    ]


def _members(protocol: Any) -> set[str]:
    named = {
        name
        for parent in protocol.__mro__
        if getattr(parent, "_is_protocol", False)
        for name in [*vars(parent), *vars(parent).get("__annotations__", {})]
    }
    return {name for name in named if not name.startswith("_") or name == "__call__"}


def _callable_alike(wanted: Any, there: Any) -> bool:
    """Tell whether what is there takes what the protocol's method is called with: as many, of the same types."""
    if wanted is None or isinstance(wanted, property) or not callable(wanted):
        return True
    if not callable(there):
        return False
    asked = [one for one in inspect.signature(wanted).parameters.values() if one.name != "self"]
    by_place = [one for one in asked if one.kind is not inspect.Parameter.KEYWORD_ONLY]
    by_name = [one for one in asked if one.kind is inspect.Parameter.KEYWORD_ONLY]
    try:
        bound = inspect.signature(there).bind(*by_place, **{one.name: one for one in by_name})
    except TypeError:
        return False
    hints, own = get_type_hints(wanted), get_type_hints(_function_of(there))
    return all(
        own.get(taken, Any) in (Any, hints.get(one.name, Any))
        for taken, one in bound.arguments.items()
        if isinstance(one, inspect.Parameter)
    )


def _function_of(there: Any) -> Any:
    return there if inspect.isroutine(there) or inspect.isclass(there) else type(there).__call__


def _written(hint: Any) -> str:
    return re.sub(r"\b[\w.]+\.", "", str(getattr(hint, "__name__", hint)))
