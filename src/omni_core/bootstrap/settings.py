"""Settings: the one place that reads the environment, the `.env` file and the TOML file.

A variable of the environment beats `.env` of the working directory, which beats `omni.toml` (in OMNI_HOME, or where
OMNI_CONFIG says), which beats the default. In `omni.toml` a setting goes by its field's name.
"""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from dotenv import dotenv_values
from msgspec import Meta
from platformdirs import user_data_path

from omni_core.domain.kernel.errors import Invalid
from omni_core.domain.kernel.money import exponent_of
from omni_core.domain.llm.api import ProviderConfig

_OWN_NAMES = {"database_url": "DATABASE_URL", "owner_database_url": "OMNI_OWNER_DATABASE_URL"}
SECRETS = frozenset({"database_url", "owner_database_url", "secret_key"})


class InvalidSetting(Invalid):
    """A setting is not valid."""

    code = "settings.invalid"


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that can be set. Each field says its unit and default; `omni config show` prints what is in force."""

    home: Annotated[Path, Meta(description="Folder of Omni's own data. Default: the platform's user data folder.")] = (
        msgspec.field(default_factory=lambda: user_data_path("omni"))
    )
    database_url: Annotated[
        str | None, Meta(description="PostgreSQL to use, postgresql://…. Default: one of Omni's own, under OMNI_HOME.")
    ] = None
    owner_database_url: Annotated[
        str | None, Meta(description="The same database as its owner, for migrations. Default: DATABASE_URL.")
    ] = None
    database_pool: Annotated[
        int, Meta(ge=1, le=200, description="Connections for use cases, in each process. Default 10.")
    ] = 10
    secret_key: Annotated[
        str | None, Meta(description="32 bytes, base64; other keys derive from it. Default: OMNI_HOME/secret.key.")
    ] = None
    host: Annotated[str, Meta(description="Address that `omni serve` listens on. Default 127.0.0.1.")] = "127.0.0.1"
    port: Annotated[
        int, Meta(ge=0, le=65535, description="Port of `omni serve`; 0 takes a free one. Default 8000.")
    ] = 8000
    max_body_bytes: Annotated[
        int, Meta(ge=1024, le=1 << 30, description="Largest request body, in bytes. Default 8,000,000.")
    ] = 8_000_000
    currency: Annotated[str, Meta(description="Currency of prices, budgets and invoices, ISO 4217. Default USD.")] = (
        "USD"
    )
    budget_wait_s: Annotated[
        float,
        Meta(
            ge=0, le=60, description="Longest wait for calls under way to free reserved money, in seconds. Default 2."
        ),
    ] = 2.0
    key_fresh_s: Annotated[
        float, Meta(gt=0, le=1, description="How long a looked-up API key is trusted, in seconds. Default 0.5.")
    ] = 0.5
    worker_concurrency: Annotated[
        int, Meta(ge=1, le=1000, description="Jobs that a worker runs at once. Default 4.")
    ] = 4
    worker_heartbeat_s: Annotated[
        float,
        Meta(ge=0.5, le=300, description="After how long a dead worker's job is run again, in seconds. Default 10."),
    ] = 10.0
    log_level: Annotated[Literal["debug", "info", "warning", "error"], Meta(description="Default info.")] = "info"
    log_format: Annotated[
        Literal["auto", "console", "json"],
        Meta(description="Form of the log; auto: console on a terminal. Default auto."),
    ] = "auto"
    access_log: Annotated[
        bool, Meta(description="Log every request, not only those that fail. Costs some 50 µs each. Default false.")
    ] = False
    providers: Annotated[
        tuple[ProviderConfig, ...],
        Meta(description="Model providers: [[providers]] tables in omni.toml, or a JSON list. Default: none."),
    ] = ()

    def __post_init__(self) -> None:
        exponent_of(self.currency)
        object.__setattr__(self, "home", self.home.expanduser().resolve())

    @classmethod
    def load(cls, environ: Mapping[str, str] | None = None, *, directory: Path | None = None) -> "Settings":
        """Read every source; raise `InvalidSetting`, naming variable, value unless secret, and what is allowed."""
        return load(environ, directory=directory)[0]


class Source(msgspec.Struct, frozen=True):
    """Where a setting's value came from: a variable of the environment or of `.env`, `omni.toml`, or `default`."""

    variable: str
    origin: str


def variable_of(field: str) -> str:
    """Return the environment variable of a setting."""
    return _OWN_NAMES.get(field, f"OMNI_{field.upper()}")


def load(
    environ: Mapping[str, str] | None = None, *, directory: Path | None = None
) -> tuple[Settings, dict[str, Source]]:
    """Read every source; return the settings and where each came from. Raises `InvalidSetting`."""
    environment = dict(os.environ if environ is None else environ)
    dotenv = {k: v for k, v in dotenv_values((directory or Path.cwd()) / ".env").items() if v is not None}
    merged = {**dotenv, **environment}
    toml = _read_toml(merged)
    values: dict[str, Any] = {}
    sources: dict[str, Source] = {}
    for field in msgspec.structs.fields(Settings):
        variable = variable_of(field.name)
        if merged.get(variable):
            origin = "environment" if variable in environment else ".env"
            values[field.name] = _convert(field, variable, merged[variable])
        elif field.name in toml:
            origin = "omni.toml"
            values[field.name] = _convert(field, variable, toml.pop(field.name))
        else:
            origin = "default"
        toml.pop(field.name, None)
        sources[field.name] = Source(variable, origin)
    if toml:
        unknown = min(toml)
        allowed = [field.name for field in msgspec.structs.fields(Settings)]
        raise InvalidSetting(f"omni.toml has an unknown setting {unknown!r}", field=unknown, allowed=allowed)
    values["providers"] = (*values.get("providers", ()), *_well_known_providers(merged, values.get("providers", ())))
    return _build(values), sources


def _build(values: dict[str, Any]) -> Settings:
    try:
        return Settings(**values)
    except Invalid as error:
        name = str(error.fields.get("field", ""))
        raise InvalidSetting(f"{variable_of(name)}: {error.detail}", **error.fields) from error


def _read_toml(environment: Mapping[str, str]) -> dict[str, Any]:
    named = environment.get("OMNI_CONFIG")
    home = Path(environment.get("OMNI_HOME") or user_data_path("omni"))
    path = Path(named) if named else home / "omni.toml"
    try:
        return tomllib.loads(path.expanduser().read_text())
    except FileNotFoundError as error:
        if named:
            raise InvalidSetting(
                f"OMNI_CONFIG names no file: {path}", field="OMNI_CONFIG", allowed="a TOML file"
            ) from error
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise InvalidSetting(f"{path} cannot be read: {error}", field="OMNI_CONFIG", allowed="a TOML file") from error


def _convert(field: msgspec.structs.FieldInfo, variable: str, raw: Any) -> Any:
    if field.name == "providers" and isinstance(raw, str):
        raw = _decode_json(raw, variable)
    try:
        return msgspec.convert(raw, field.type, strict=False)
    except msgspec.ValidationError as error:
        shown = "" if field.name in SECRETS or field.name == "providers" else f" ({raw!r})"
        raise InvalidSetting(f"{variable}{shown}: {error}", field=variable, allowed=str(error)) from error


def _decode_json(text: str, variable: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise InvalidSetting(f"{variable} is not JSON", field=variable, allowed="a JSON list of providers") from error


def _well_known_providers(environment: Mapping[str, str], named: tuple[ProviderConfig, ...]) -> list[ProviderConfig]:
    """Take the keys that the vendors' own clients take from the environment, unless settings name the provider."""
    taken = {config.name for config in named}
    return [
        ProviderConfig(kind, kind, environment.get(f"{kind.upper()}_BASE_URL"), environment[f"{kind.upper()}_API_KEY"])
        for kind in ("openai", "anthropic")
        if environment.get(f"{kind.upper()}_API_KEY") and kind not in taken
    ]
