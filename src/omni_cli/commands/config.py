"""`omni config`."""

from typing import TYPE_CHECKING, Any

import msgspec

from omni_cli.jsonform import as_json
from omni_cli.options import Json, commands, examples
from omni_cli.output import Column, print_json, print_rows

if TYPE_CHECKING:
    from omni_core.bootstrap.settings import Setting as SettingOf
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
    """Show every setting: its value, and where it was set.

    A variable of the environment beats the file .env of the working directory, which beats omni.toml (in OMNI_HOME, or
    where OMNI_CONFIG says), which beats the default. Secrets are shown as "set".
    """
    from omni_core.bootstrap.settings import SETTINGS, load

    settings, sources = load()
    rows = [
        Setting(one.name, one.variable, _shown(settings, one), sources[one.name].origin, one.description)
        for one in SETTINGS
    ]
    if json:
        print_json({"items": rows, "next_cursor": None})
    else:
        print_rows(rows, _SETTING, json=False)


def _shown(settings: "Settings", setting: "SettingOf") -> object:
    section = getattr(settings, setting.place[0])
    if len(setting.place) > 1:
        return as_json(section.shown(setting.place[-1]))
    if setting.is_secret:
        return "set" if section else "not set"
    return as_json(section)
