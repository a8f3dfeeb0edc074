"""Settings: the one place that reads the environment, the `.env` file and the TOML file.

A variable of the environment beats `.env` of the working directory, which beats `omni.toml` (in OMNI_HOME, or where
OMNI_CONFIG says), which beats the default. In `omni.toml` a setting goes by its field's name. An empty variable counts
as not set. docs/howto/settings.md lists all of them.
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

from omni_core.bootstrap.allowed import allowed_values
from omni_core.domain.kernel.errors import Invalid
from omni_core.domain.kernel.money import exponent_of
from omni_core.domain.llm.api import ProviderConfig
from omni_core.domain.llm.catalogue import BUILT_IN_PROVIDER

_OWN_NAMES = {"database_url": "DATABASE_URL"}
SECRETS = frozenset({"database_url", "owner_database_url", "secret_key"})
_PostgresUrl = Annotated[
    str, Meta(pattern=r"^postgres(ql)?(\+asyncpg)?://", title="postgresql://user:password@host:5432/database")
]
_KeyOf32Bytes = Annotated[str, Meta(pattern="^[A-Za-z0-9+/_-]{43}=$", title="32 bytes in base64, 44 characters")]
_PROVIDER_FIELDS = frozenset(ProviderConfig.__struct_fields__)


class InvalidSetting(Invalid):
    """A setting is not valid."""

    code = "settings.invalid"


def default_home() -> Path:
    """Return the platform's user data folder for Omni, or /var/lib/omni for root.

    PostgreSQL refuses to run as root and gets an account of its own, which has to pass through every folder above its
    data. Through /var/lib anybody may; root's own data folder lies below /root, which is closed.
    """
    return Path("/var/lib/omni") if os.name == "posix" and os.geteuid() == 0 else user_data_path("omni")


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that can be set. Each field says its unit and default; `omni config show` prints what is in force."""

    home: Annotated[
        Path,
        Meta(
            title="a folder",
            description="Folder of Omni's own data. Default: the platform's user data folder; /var/lib/omni for root.",
        ),
    ] = msgspec.field(default_factory=default_home)
    database_url: Annotated[
        _PostgresUrl | None,
        Meta(description="PostgreSQL to use, postgresql://…. Default: one of Omni's own, under OMNI_HOME."),
    ] = None
    owner_database_url: Annotated[
        _PostgresUrl | None,
        Meta(
            description="The same database as its owner, for migrations; for a worker as the owner or as omni_worker. "
            "Default: DATABASE_URL."
        ),
    ] = None
    database_pool: Annotated[
        int, Meta(ge=1, le=200, description="Connections for use cases, in each process. Default 10.")
    ] = 10
    secret_key: Annotated[
        _KeyOf32Bytes | None,
        Meta(description="32 bytes, base64; other keys derive from it. Default: OMNI_HOME/secret.key."),
    ] = None
    host: Annotated[
        str,
        Meta(title="an address or a host name", description="Address that `omni serve` listens on. Default 127.0.0.1."),
    ] = "127.0.0.1"
    port: Annotated[
        int, Meta(ge=0, le=65535, description="Port of `omni serve`; 0 takes a free one. Default 8000.")
    ] = 8000
    max_body_bytes: Annotated[
        int, Meta(ge=1024, le=1 << 30, description="Largest request body, in bytes. Default 8,000,000.")
    ] = 8_000_000
    currency: Annotated[
        str,
        Meta(
            title="an ISO 4217 code such as USD",
            description="Currency of prices, budgets and invoices. Default USD.",
        ),
    ] = "USD"
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
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"],
        Meta(description="The least serious entries that are logged. Default info."),
    ] = "info"
    log_format: Annotated[
        Literal["auto", "console", "json"],
        Meta(description="Form of the log; auto: console on a terminal. Default auto."),
    ] = "auto"
    access_log: Annotated[
        bool, Meta(description="Log every request, not only those that fail. Costs some 0.2 ms each. Default false.")
    ] = False
    providers: Annotated[
        tuple[ProviderConfig, ...],
        Meta(
            title="a list of providers, each with name and kind",
            description="Model providers: [[providers]] tables in omni.toml, or a JSON list. Default: none.",
        ),
    ] = ()

    def __post_init__(self) -> None:
        exponent_of(self.currency)
        msgspec.structs.force_setattr(self, "home", self.home.expanduser().resolve())

    def __repr__(self) -> str:
        values = ((name, getattr(self, name)) for name in self.__struct_fields__)
        shown = (f"{name}=…" if value and name in SECRETS else f"{name}={value!r}" for name, value in values)
        return f"Settings({', '.join(shown)})"

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
    merged = {**_read_dotenv((directory or Path.cwd()) / ".env"), **environment}
    toml = _read_toml(merged)
    values: dict[str, Any] = {}
    sources: dict[str, Source] = {}
    for field in msgspec.structs.fields(Settings):
        variable, origin, raw = variable_of(field.name), "default", None
        in_toml = toml.pop(field.name, None)
        if merged.get(variable):
            origin, raw = "environment" if variable in environment else ".env", merged[variable]
        elif in_toml is not None:
            origin, raw = "omni.toml", in_toml
        if raw is not None:
            values[field.name] = _convert(field, variable, raw, origin)
        sources[field.name] = Source(variable, origin)
    if toml:
        unknown = min(toml)
        allowed = [field.name for field in msgspec.structs.fields(Settings)]
        raise InvalidSetting(f"omni.toml has an unknown setting {unknown!r}", field=unknown, allowed=allowed)
    _add_well_known_providers(merged, values, sources)
    return _build(values), sources


def _build(values: dict[str, Any]) -> Settings:
    try:
        return Settings(**values)
    except Invalid as error:
        name = str(error.fields.get("field", ""))
        raise InvalidSetting(f"{variable_of(name)}: {error.detail}", **error.fields) from error


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
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RuntimeError, OSError) as error:
        raise InvalidSetting(f"{path} cannot be read: {error}", field="OMNI_CONFIG", allowed="a TOML file") from error


def _convert(field: msgspec.structs.FieldInfo, variable: str, raw: object, origin: str) -> object:
    if field.name == "providers":
        raw = _checked_providers(_decode_json(raw, variable) if isinstance(raw, str) else raw, variable)
    try:
        return msgspec.convert(raw, field.type, strict=False, dec_hook=_decode_path)
    except msgspec.ValidationError as error:
        allowed = allowed_values(field.type)
        if field.name == "providers":
            # Says what is wrong and where, never with which value.
            wrong = f"{variable} (from {origin}): {error}"
        else:
            shown = "" if field.name in SECRETS else f" {raw!r}"
            wrong = f"{variable}{shown} (from {origin}) is not valid; allowed is {allowed}"
        raise InvalidSetting(wrong, field=variable, allowed=allowed) from error


def _decode_path(wanted: type, value: object) -> Path:
    if wanted is not Path or not isinstance(value, str):
        raise TypeError(f"Expected `str`, got `{type(value).__name__}`")
    try:
        return Path(value).expanduser()
    except RuntimeError as error:
        raise ValueError(str(error)) from error


def _decode_json(text: str, variable: str) -> object:
    try:
        decoded: object = msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise InvalidSetting(f"{variable} is not JSON", field=variable, allowed="a JSON list of providers") from error
    return decoded


def _checked_providers(raw: object, variable: str) -> object:
    """Refuse a name that is given twice or is Omni's own, and a misspelt field, which would leave out a key unseen."""
    tables = [table for table in raw if isinstance(table, dict)] if isinstance(raw, list) else []
    names = [table.get("name") for table in tables]
    for position, table in enumerate(tables):
        unknown = sorted(table.keys() - _PROVIDER_FIELDS)
        if unknown:
            raise InvalidSetting(
                f"{variable}: a provider has no field {unknown[0]!r}", field=variable, allowed=sorted(_PROVIDER_FIELDS)
            )
        if names[position] in {BUILT_IN_PROVIDER, *names[:position]}:
            raise InvalidSetting(
                f"{variable}: there is a provider {names[position]!r} already", field=variable, allowed="another name"
            )
    return raw


def _add_well_known_providers(
    environment: Mapping[str, str], values: dict[str, Any], sources: dict[str, Source]
) -> None:
    """Take the keys that the vendors' own clients take from the environment, unless settings name the provider."""
    named: tuple[ProviderConfig, ...] = values.get("providers", ())
    for kind in ("openai", "anthropic"):
        variable = f"{kind.upper()}_API_KEY"
        if environment.get(variable) and kind not in {config.name for config in named}:
            base_url = environment.get(f"{kind.upper()}_BASE_URL") or None
            values["providers"] = (
                *values.get("providers", ()),
                ProviderConfig(kind, kind, base_url, environment[variable]),
            )
            there = sources["providers"]
            origin = variable if there.origin == "default" else f"{there.origin}, {variable}"
            sources["providers"] = Source(there.variable, origin)
