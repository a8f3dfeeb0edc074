"""The one place that reads the environment, the `.env` file and the TOML file."""

import os
import tomllib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from dotenv import dotenv_values
from platformdirs import user_data_path

from omni_core.bootstrap.settings.allowed import allowed_values
from omni_core.bootstrap.settings.section import InvalidSetting, Section, Setting, check_text, settings_of
from omni_core.domain.kernel.errors import Invalid

S = TypeVar("S", bound=msgspec.Struct)
_Place = tuple[str, ...]


def default_home() -> Path:
    """Return the platform's user data folder for Omni, or /var/lib/omni for root.

    PostgreSQL refuses to run as root and gets an account of its own, which has to pass through every folder above its
    data. Through /var/lib anybody may; root's own data folder lies below /root, which is closed.
    """
    return Path("/var/lib/omni") if os.name == "posix" and os.geteuid() == 0 else user_data_path("omni")


class Source(msgspec.Struct, frozen=True):
    """Where a setting's value came from: a variable of the environment or of `.env`, `omni.toml`, or `default`."""

    variable: str
    origin: str


def read(
    kind: type[S], environ: Mapping[str, str] | None = None, *, directory: Path | None = None
) -> tuple[S, dict[str, Source]]:
    """Read every source of what `kind` has fields for; return it, and where each setting came from, by name.

    Raises `InvalidSetting`, naming variable, value unless secret, and what is allowed.
    """
    environment = dict(os.environ if environ is None else environ)
    merged = {**_read_dotenv((directory or Path.cwd()) / ".env"), **environment}
    settings, sections = tuple(settings_of(kind)), sections_of(kind)
    for variable in ("OMNI_CONFIG", *(setting.variable for setting in settings)):
        check_text(merged.get(variable, ""), variable)
    toml = _Toml(_read_toml(merged), sections)
    given: dict[_Place, Any] = {}
    origins: dict[_Place, str] = {}
    for setting in settings:
        origin = "default"
        raw: object = None
        in_toml = toml.take(setting)
        if merged.get(setting.variable):
            origin = "environment" if setting.variable in environment else ".env"
            raw = merged[setting.variable]
        elif in_toml is not None:
            origin, raw = "omni.toml", in_toml
        if raw is not None:
            given[setting.place] = _convert(setting, sections.get(setting.place[0]), raw, origin)
        origins[setting.place] = origin
    toml.check_empty(settings)
    values: dict[str, Any] = {place[0]: value for place, value in given.items() if len(place) == 1}
    for name, section in sections.items():
        fields = {place[1]: value for place, value in given.items() if place[0] == name}
        told = {place[1]: origin for place, origin in origins.items() if place[0] == name}
        values[name] = section.completed(fields, merged, told)
        origins.update({(name, field): origin for field, origin in told.items()})
    return _build(kind, values, settings), {one.name: Source(one.variable, origins[one.place]) for one in settings}


def sections_of(kind: type[msgspec.Struct]) -> dict[str, type[Section]]:
    """Return the sections of settings, by context."""
    return {
        field.name: field.type
        for field in msgspec.structs.fields(kind)
        if isinstance(field.type, type) and issubclass(field.type, Section)
    }


def _build(kind: type[S], values: dict[str, Any], settings: tuple[Setting, ...]) -> S:
    try:
        return kind(**values)
    except Invalid as error:
        wrong = next(one for one in settings if one.place[-1] == error.fields.get("field"))
        raise InvalidSetting(f"{wrong.variable}: {error.detail}", **error.fields) from error


class _Toml:
    """What `omni.toml` says, by a setting's name or in the table of its context."""

    def __init__(self, said: dict[str, Any], sections: Collection[str]) -> None:
        self._names = said
        self._tables = {name: said.pop(name) for name in sections if isinstance(said.get(name), dict)}

    def take(self, setting: Setting) -> object:
        """Return what it says of a setting, once; None where it says nothing."""
        context, field = setting.place[0], setting.place[-1]
        in_table = self._tables.get(context, {}).pop(field, None) if len(setting.place) > 1 else None
        by_name = self._names.pop(setting.name, None)
        if in_table is not None and by_name is not None:
            raise InvalidSetting(
                f"omni.toml sets {setting.name} twice: by that name and in [{context}]",
                field=setting.name,
                allowed="one of the two",
            )
        return by_name if in_table is None else in_table

    def check_empty(self, settings: tuple[Setting, ...]) -> None:
        """Raise `InvalidSetting` for what nobody took: a misspelt name would be left out unseen."""
        left = [*self._names, *(f"{name}.{field}" for name, table in self._tables.items() for field in table)]
        if left:
            unknown = min(left)
            allowed = [setting.name for setting in settings]
            raise InvalidSetting(f"omni.toml has an unknown setting {unknown!r}", field=unknown, allowed=allowed)


def _read_dotenv(path: Path) -> dict[str, str]:
    try:
        # Taken as it stands: a password may hold a dollar sign.
        return {name: value for name, value in dotenv_values(path, interpolate=False).items() if value is not None}
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidSetting(f"{path} cannot be read: {error}", field=".env", allowed="UTF-8 text") from error


def _read_toml(environment: Mapping[str, str]) -> dict[str, Any]:
    named = environment.get("OMNI_CONFIG")
    path = Path(named) if named else Path(environment.get("OMNI_HOME") or default_home()) / "omni.toml"
    try:
        return tomllib.loads(path.expanduser().read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        if named:
            raise InvalidSetting(
                f"OMNI_CONFIG names no file: {path}", field="OMNI_CONFIG", allowed="a TOML file"
            ) from error
        return {}
    except (ValueError, RuntimeError, OSError) as error:
        # Nested too deeply is a RuntimeError; not TOML, not UTF-8 and a number of 5,000 digits are ValueErrors.
        raise InvalidSetting(f"{path} cannot be read: {error}", field="OMNI_CONFIG", allowed="a TOML file") from error


def _convert(setting: Setting, section: type[Section] | None, raw: object, origin: str) -> object:
    variable, wanted = setting.variable, setting.field.type
    if isinstance(raw, str):
        check_text(raw, variable)
    ready = raw if section is None else section.prepared(setting.place[-1], raw, variable)
    try:
        return msgspec.convert(ready, wanted, strict=False, dec_hook=_decode_path)
    except msgspec.ValidationError as error:
        allowed = allowed_values(wanted)
        if isinstance(ready, list | dict):
            # Says what is wrong and where, never with which value: there may be keys in it.
            wrong = f"{variable} (from {origin}): {error}"
        else:
            shown = "" if setting.is_secret else f" {raw!r}"
            wrong = f"{variable}{shown} (from {origin}) is not valid; allowed is {allowed}"
        raise InvalidSetting(wrong, field=variable, allowed=allowed) from error


def _decode_path(wanted: type, value: object) -> Path:
    if wanted is not Path or not isinstance(value, str):
        raise TypeError(f"Expected `str`, got `{type(value).__name__}`")
    try:
        return Path(value).expanduser()
    except RuntimeError as error:
        raise ValueError(str(error)) from error
