"""`omni config`."""

from typing import TYPE_CHECKING, Any, get_type_hints

import msgspec

from omni_cli.jsonform import as_json
from omni_cli.options import Json, commands, examples
from omni_cli.output import Column, print_json, print_rows

if TYPE_CHECKING:
    from omni_core.bootstrap.settings import Settings

config = commands("Settings: what is in force, and where it was set.")


class Setting(msgspec.Struct, frozen=True):
    """One setting. Of a secret, `value` says only whether there is one. `origin` is where it was set."""

    name: str
    variable: str
    value: Any
    origin: str
    description: str


_SETTING: list[Column[Setting]] = [
    Column("variable", lambda setting: setting.variable),
    Column("value", lambda setting: setting.value, wraps=True),
    Column("from", lambda setting: setting.origin),
    Column("description", lambda setting: setting.description, wraps=True),
]


@config.command("show", epilog=examples("omni config show", "omni config show --json"))
def show(json: Json = False) -> None:
    """Show every setting: its variable, its value, where it was set, and what it means.

    A variable of the environment beats the file .env of the working directory, which beats omni.toml (in OMNI_HOME, or
    where OMNI_CONFIG says), which beats the default. Secrets are shown as "set".
    """
    from omni_core.bootstrap.settings import load

    settings, sources = load()
    descriptions = _descriptions(type(settings))
    shown = [
        Setting(name, source.variable, _shown(settings, name), source.origin, descriptions[name])
        for name, source in sources.items()
    ]
    if json:
        print_json({"items": shown, "next_cursor": None})
    else:
        print_rows(shown, _SETTING, json=False)


def _descriptions(settings: "type[Settings]") -> dict[str, str]:
    hints = get_type_hints(settings, include_extras=True)
    return {
        name: next((meta.description for meta in hint.__metadata__ if meta.description), "")
        for name, hint in hints.items()
    }


def _shown(settings: "Settings", name: str) -> object:
    from omni_core.bootstrap.settings import SECRETS

    value = getattr(settings, name)
    if name in SECRETS:
        return "set" if value else "not set"
    if name == "providers":
        return [f"{one.name} ({one.kind}, {'with a key' if one.api_key else 'without a key'})" for one in value]
    return as_json(value)
