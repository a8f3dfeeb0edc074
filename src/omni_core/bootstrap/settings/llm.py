"""The settings of llm: the providers that are set up outside of the catalogue, and the limits of all."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Self

import msgspec
from msgspec import Meta

from omni_core.bootstrap.settings.section import InvalidSetting, Origins, Section, check_text
from omni_core.domain.kernel.errors import InvalidValue
from omni_core.domain.llm.api import ConfiguredProvider, Limits
from omni_core.domain.llm.catalogue import BUILT_IN_PROVIDER, check_base_url
from omni_core.domain.llm.extra import check_passed
from omni_core.domain.llm.limits import (
    NAMES,
    Connections,
    ConnectionWait,
    ConnectTimeout,
    Timeout,
    TotalTimeout,
    Waiting,
)

_PROVIDER_FIELDS = frozenset(ConfiguredProvider.__struct_fields__)
_VENDORS = ("openai", "anthropic")


class LlmSettings(Section, frozen=True, kw_only=True):
    """Providers beside those of the catalogue, limits of those that set none, and answers kept for who asks again."""

    names: ClassVar[Mapping[str, str]] = {"providers": "providers"}
    secrets: ClassVar[frozenset[str]] = frozenset({"providers"})

    providers: Annotated[
        tuple[ConfiguredProvider, ...],
        Meta(
            title="a list of providers, each with name and kind",
            description="Model providers: [[providers]] tables in omni.toml, or a JSON list. Default: none.",
        ),
    ] = ()
    connect_timeout_s: Annotated[
        ConnectTimeout,
        Meta(description="Longest wait for a connection to a provider, TLS included, in seconds. Default 10."),
    ] = 10.0
    first_byte_timeout_s: Annotated[
        Timeout,
        Meta(
            description="Longest wait for a provider's answer to begin once the request is sent, in seconds; "
            "interim responses (1xx) are no beginning. Default 120."
        ),
    ] = 120.0
    read_timeout_s: Annotated[
        Timeout, Meta(description="Longest silence in a provider's answer, in seconds. Default 120.")
    ] = 120.0
    total_timeout_s: Annotated[
        TotalTimeout,
        Meta(description="Longest call to a provider, whatever comes meanwhile, in seconds. Default 1,800."),
    ] = 1_800.0
    max_connections: Annotated[
        Connections, Meta(description="Calls at once to a provider, each over a connection, of a process. Default 256.")
    ] = 256
    connection_wait_s: Annotated[
        ConnectionWait, Meta(description="Longest wait of a call for a free connection, in seconds. Default 10.")
    ] = 10.0
    max_waiting: Annotated[
        Waiting,
        Meta(description="Calls that wait at once for a connection to a provider, in a process. Default 1,000."),
    ] = 1_000
    answers_kept_s: Annotated[
        float,
        Meta(
            gt=0,
            le=604_800,
            description="How long an answer is kept for its Idempotency-Key, in seconds. Default 86400.",
        ),
    ] = 86_400.0
    answer_bytes: Annotated[
        int,
        Meta(
            ge=0,
            le=100_000_000,
            description="Largest answer that is kept for its Idempotency-Key, in bytes. Default 1,000,000.",
        ),
    ] = 1_000_000
    answer_wait_s: Annotated[
        float,
        Meta(
            ge=0,
            le=3600,
            description="Longest wait for a call under the same Idempotency-Key, in seconds. Default 60.",
        ),
    ] = 60.0

    @property
    def limits(self) -> Limits:
        """The limits of providers that set none of their own."""
        return Limits(**{name: getattr(self, name) for name in NAMES})

    @classmethod
    def prepared(cls, field: str, raw: object, variable: str) -> object:
        """Decode the JSON of a variable, and refuse what would leave out a key unseen."""
        if field != "providers":
            return raw
        return _checked_providers(_decode_json(raw, variable) if isinstance(raw, str) else raw, variable)

    @classmethod
    def completed(cls, given: dict[str, Any], environment: Mapping[str, str], origins: Origins) -> Self:
        """Take the keys that the vendors' own clients take from the environment, unless settings name the provider."""
        providers: tuple[ConfiguredProvider, ...] = given.get("providers", ())
        named = {config.name for config in providers}
        for kind in _VENDORS:
            variable = f"{kind.upper()}_API_KEY"
            if environment.get(variable) and kind not in named:
                check_text(environment[variable], variable)
                base_url = environment.get(f"{kind.upper()}_BASE_URL") or None
                _check_where(base_url, f"{kind.upper()}_BASE_URL")
                providers = (*providers, ConfiguredProvider(kind, kind, base_url, environment[variable]))
                there = origins["providers"]
                origins["providers"] = variable if there == "default" else f"{there}, {variable}"
        return cls(**{**given, "providers": providers})

    def shown(self, field: str) -> object:
        """Name the providers, and say whether each has a key."""
        if field != "providers":
            return super().shown(field)
        return [
            f"{one.name} ({one.kind}, {'with a key' if one.api_key else 'without a key'})" for one in self.providers
        ]


def _decode_json(text: str, variable: str) -> object:
    try:
        decoded: object = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        raise InvalidSetting(f"{variable} is not JSON", field=variable, allowed="a JSON list of providers") from error
    return decoded


def _checked_providers(raw: object, variable: str) -> object:
    """Refuse a name that is given twice or is Omni's own, a base_url that is none, and a misspelt field.

    That would leave out a key unseen.
    """
    tables = [table for table in raw if isinstance(table, dict)] if isinstance(raw, list) else []
    names = [table.get("name") for table in tables]
    for position, table in enumerate(tables):
        unknown = sorted(table.keys() - _PROVIDER_FIELDS)
        if unknown:
            raise InvalidSetting(
                f"{variable}: a provider has no field {unknown[0]!r}", field=variable, allowed=sorted(_PROVIDER_FIELDS)
            )
        if names[position] in (BUILT_IN_PROVIDER, *names[:position]):
            raise InvalidSetting(
                f"{variable}: there is a provider {names[position]!r} already", field=variable, allowed="another name"
            )
        _check_where(table.get("base_url"), variable)
        _check_fields(table.get("passes"), variable)
    return raw


def _check_fields(passes: object, variable: str) -> None:
    if isinstance(passes, list) and all(isinstance(name, str) for name in passes):
        try:
            check_passed(passes)
        except InvalidValue as error:
            raise InvalidSetting(
                f"{variable}: {error.detail}", field=variable, allowed=error.fields["allowed"]
            ) from error


def _check_where(base_url: object, variable: str) -> None:
    """Refuse what `check_base_url` does, without saying it: there may be a password in it."""
    if isinstance(base_url, str):
        try:
            check_base_url(base_url)
        except InvalidValue as error:
            raise InvalidSetting(
                f"{variable}: {error.detail}", field=variable, allowed=error.fields["allowed"]
            ) from error
