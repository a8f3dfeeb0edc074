"""The catalogue: which models there are, and which provider each is called at."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from omni_core.domain.kernel.errors import InvalidValue
from omni_core.domain.kernel.stored import is_rebuilding
from omni_core.domain.llm.extra import MOST_PASSED, PassedField, check_passed
from omni_core.domain.llm.limits import Limits, OwnLimits, check_limits
from omni_core.domain.pricing.api import PriceTexts, TierPrices

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}")
_PORT = "(6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[1-9][0-9]{0,3})"
_PLAIN_URL = rf"^https?://([!$-.0-9;=A-Z_a-z~]+|\[[0-9A-Fa-f:.]+\])(:{_PORT})?(/[!$->@-\[\]-~]*)?$"
CatalogueName = Annotated[str, Meta(extra_json_schema={"pattern": f"^{_NAME.pattern}$"})]
BaseUrl = Annotated[str, Meta(extra_json_schema={"pattern": _PLAIN_URL})]
ModelTokens = Annotated[int, Meta(extra_json_schema={"minimum": 1, "maximum": 100_000_000})]
BUILT_IN_PROVIDER = "omni"
BUILT_IN_KIND = "brain"
DEFAULT_CONTEXT_LENGTH = 128_000
DEFAULT_MAX_OUTPUT_TOKENS = 4_096
BASE_URL_ALLOWED = "such as https://host/v1"


def check_name(name: str, field: str) -> str:
    """Return `name` if it is 1 to 128 of letters, digits and `._:/-`; raise `InvalidValue` that names `field`."""
    if not _NAME.fullmatch(name):
        raise InvalidValue(
            f"{field} must be 1 to 128 letters, digits and ._:/- and begin with a letter or digit",
            field=field,
            allowed="[A-Za-z0-9._:/-]{1,128}",
        )
    return name


def seal_context(provider: str) -> str:
    """Return what a provider's sealed key is bound to."""
    return f"provider:{provider}"


def check_base_url(url: str) -> None:
    """Raise `InvalidValue` unless `url` is http or https, with a host, and without a user, a query and a fragment.

    It is stored and shown in the clear, and the paths of a provider's endpoints are put behind it.
    """
    if not _is_plain_url(url):
        # The value itself stays out of the message: a URL with a user holds a password.
        raise InvalidValue(
            "base_url must be an http or https URL with a host, and without a user, a query and a fragment",
            field="base_url",
            allowed=BASE_URL_ALLOWED,
        )


def _is_plain_url(url: str) -> bool:
    if not url.isprintable() or any(letter.isspace() or letter in "?#\\" for letter in url):
        return False
    try:
        parts = urlsplit(url)
        # Beyond 65535, and for what is no number, `port` raises.
        has_port = parts.port is None or (parts.port > 0 and parts.netloc.rpartition(":")[2].isascii())
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.username is None and has_port


@dataclass(slots=True, frozen=True)
class Provider:
    """Somebody who runs models. `sealed_key` is the operator's key with them, sealed."""

    name: str
    kind: str
    base_url: str | None
    sealed_key: bytes | None
    limits: OwnLimits
    created_at: datetime
    passes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if is_rebuilding():
            return
        check_name(self.name, "name")
        check_passed(self.passes)
        if self.base_url is not None:
            check_base_url(self.base_url)
        check_limits(self.limits)

    def __repr__(self) -> str:
        return f"Provider(name={self.name!r}, kind={self.kind!r}, base_url={self.base_url!r})"


class Model(msgspec.Struct, frozen=True):
    """A model under the name by which callers ask for it.

    `upstream_model` is the provider's name of it. `max_output_tokens` is what a caller gets who sets no limit under a
    budget, since a budget has to know the most that a call can cost. `is_context_declared` and `is_output_declared` say
    whether somebody said these limits, and they are no defaults: a provider's figures are held against those alone.
    """

    name: str
    provider: str
    upstream_model: str
    context_length: int
    max_output_tokens: int
    created_at: datetime
    is_context_declared: bool = False
    is_output_declared: bool = False

    def __post_init__(self) -> None:
        if is_rebuilding():
            return
        check_name(self.name, "name")
        if not 1 <= self.max_output_tokens <= self.context_length <= 100_000_000:
            raise InvalidValue(
                "max_output_tokens must be from 1 to context_length",
                field="max_output_tokens",
                allowed="1 to context_length",
            )


class AddProvider(OwnLimits, frozen=True, forbid_unknown_fields=True):
    """Make a provider known. `api_key` is stored sealed and never shown again.

    `passes` names fields of chat requests that it takes besides those of its kind, such as `top_k`. Limits that are not
    given are those of the settings, also when these change.
    """

    name: CatalogueName
    kind: str
    base_url: BaseUrl | None = None
    api_key: str | None = None
    passes: Annotated[tuple[PassedField, ...], Meta(extra_json_schema={"maxItems": MOST_PASSED})] = ()

    def __repr__(self) -> str:
        return f"AddProvider(name={self.name!r}, kind={self.kind!r}, base_url={self.base_url!r})"


class AddModel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Make a model callable, at a price from now on.

    `prices` maps meters to major units of a million tokens, or of one image or request: `{"input": "0.15", "output":
    "0.60"}`. Without `upstream_model` the provider calls it by the same name. `context_length` is the longest input and
    output together, 128,000 tokens where it is left out, `max_output_tokens` the longest answer, 4,096. Usage beyond
    one that was given, by more than a tenth, is not believed.
    """

    name: CatalogueName
    provider: CatalogueName
    prices: PriceTexts
    tiers: tuple[TierPrices, ...] = ()
    upstream_model: str | None = None
    context_length: ModelTokens | None = None
    max_output_tokens: ModelTokens | None = None


class ProviderView(Limits, frozen=True):
    """A provider as people may see it: whether it has a key, never the key. `source` says where it was set up.

    Its limits are those in force, whether they were set for it or are the settings'.
    """

    name: str
    kind: str
    base_url: str | None
    has_key: bool
    source: str
    passes: tuple[str, ...] = ()
