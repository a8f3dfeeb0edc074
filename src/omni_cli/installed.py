"""The commands that there are, each loaded when it is first asked for, so that one of them does not wait for all.

A command or group goes by the name of its module in `commands/`, where it is the attribute of that name: nothing here
changes with a new context, unless its commands are called otherwise.
"""

from collections.abc import Iterator, MutableMapping
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import typer

from omni_cli import commands
from omni_cli.options import Alone

# Called otherwise than the context that they belong to.
_MODULE_OF = {
    "tenants": "tenancy",
    "keys": "tenancy",
    "models": "llm",
    "chat": "llm",
    "prices": "pricing",
    "usage": "metering",
}
# What runs Omni itself stands first in the list of commands.
_FIRST = ("up", "down", "serve", "worker", "db", "config")


def installed_names() -> list[str]:
    """Return the names of all commands and groups, in the order in which they are listed."""
    modules = {found.name for found in iter_modules(commands.__path__)}
    return [*_FIRST, *sorted({*modules - set(_MODULE_OF.values()), *_MODULE_OF} - set(_FIRST))]


def load(name: str) -> Any:  # noqa: ANN401 - typer brings its own copy of click's classes
    """Import a command's module and return the command."""
    module = import_module(f"{commands.__name__}.{_MODULE_OF.get(name, name)}")
    found = getattr(module, name)
    if not isinstance(found, typer.Typer):
        raise TypeError(f"{module.__name__}.{name} is neither a command nor a group")
    # A group of one command stays a group.
    command = typer.main.get_command(found) if isinstance(found, Alone) else typer.main.get_group(found)
    command.name = name
    return command


class Installed(MutableMapping[str, Any]):
    """All commands by name, loaded when one is taken out; `own` are there already."""

    def __init__(self, own: MutableMapping[str, Any]) -> None:
        self._loaded = dict(own)
        self._names = [*installed_names(), *own]

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 - as `load` returns it
        if name not in self._loaded and name in self._names:
            self._loaded[name] = load(name)
        return self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __setitem__(self, name: str, command: Any) -> None:  # noqa: ANN401 - as `load` returns it
        self._loaded[name] = command
        self._names = list(dict.fromkeys([*self._names, name]))

    def __delitem__(self, name: str) -> None:
        self._names.remove(name)
        self._loaded.pop(name, None)
