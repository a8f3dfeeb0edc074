"""What was used, by whom, and what it cost."""

from datetime import datetime
from enum import StrEnum
from typing import Literal
from uuid import UUID

import msgspec

from omni_core.domain.kernel.clock import check_moment
from omni_core.domain.kernel.cost import Cost
from omni_core.domain.kernel.errors import InvalidValue
from omni_core.domain.kernel.money import Picos, whole_picos
from omni_core.domain.kernel.stored import check_word, is_rebuilding
from omni_core.domain.kernel.tenancy import TenantId
from omni_core.domain.metering.errors import InvalidUsage


class Meter(StrEnum):
    """What is counted, each part once: `input` are the tokens that are neither cached, nor cache writes, nor audio."""

    INPUT = "input"
    CACHED_INPUT = "cached_input"
    CACHE_WRITE = "cache_write"
    OUTPUT = "output"
    IMAGE = "image"
    AUDIO_INPUT = "audio_input"
    AUDIO_OUTPUT = "audio_output"
    REQUEST = "request"


class Quantities(msgspec.Struct, frozen=True):
    """How much of each meter: tokens, or pieces for `image` and `request`. Field names are the meters' values."""

    input: int = 0
    cached_input: int = 0
    cache_write: int = 0
    output: int = 0
    image: int = 0
    audio_input: int = 0
    audio_output: int = 0
    request: int = 0

    def __post_init__(self) -> None:
        if is_rebuilding():
            return
        if min(msgspec.structs.astuple(self)) < 0:
            raise InvalidUsage("quantities must not be negative", field="quantities", allowed="0 or more")

    def of(self, meter: Meter) -> int:
        """Return how much of one meter."""
        quantity: int = getattr(self, meter)
        return quantity

    @property
    def input_total(self) -> int:
        """All tokens that went in: the length of the context that price tiers look at."""
        return self.input + self.cached_input + self.cache_write + self.audio_input

    @property
    def output_total(self) -> int:
        """All tokens that came out."""
        return self.output + self.audio_output

    def __add__(self, other: "Quantities") -> "Quantities":
        pairs = zip(msgspec.structs.astuple(self), msgspec.structs.astuple(other), strict=True)
        return Quantities(*(mine + theirs for mine, theirs in pairs))


class CallStatus(StrEnum):
    """How the call ended that used something."""

    COMPLETED = "completed"
    INTERRUPTED = "interrupted"
    """The client hung up; what had been produced is charged."""
    FAILED = "failed"
    """The provider broke off; what it had produced is charged."""


class EstimateReason(StrEnum):
    """Why a call is charged by Omni's estimate, in part or wholly, and not by its provider's figures."""

    UNREPORTED = "unreported"
    """The provider gave no figures."""
    CUT_OFF = "cut_off"
    """The call ended before its last figures came."""
    IMPOSSIBLE = "impossible"
    """Its figures are below 0, or beyond any model."""
    BEYOND_CONTEXT = "beyond_context"
    """Its figures tell more input than the model can take."""
    BEYOND_OUTPUT = "beyond_output"
    """Its figures tell more output than the model can give, or was allowed to."""


_TEXTS = ("idempotency_key", "model", "provider", "currency", "request_id")


def _is_storable(text: str) -> bool:
    """Tell whether every store can keep `text`: PostgreSQL takes no NUL, and UTF-8 no half of a surrogate pair."""
    return "\0" not in text and (text.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in text))


class UsageEvent(msgspec.Struct, frozen=True):
    """One call that used something, priced at the time it began. Never changes.

    `cost_picos` is exact, in 10⁻¹² of the major unit of `currency`: the sum over meters of quantity × the unit price of
    the price `price_id` in its tier above `price_tier` input tokens. `idempotency_key` is unique within the tenant.
    `estimate_reason` says why `estimated` is so; an event of an earlier release has none.
    """

    id: UUID
    tenant_id: TenantId
    idempotency_key: str
    key_id: UUID | None
    model: str
    provider: str
    status: CallStatus
    quantities: Quantities
    estimated: bool
    price_id: UUID
    price_tier: int
    cost_picos: Picos
    currency: str
    latency_ms: int
    request_id: str
    occurred_at: datetime
    estimate_reason: EstimateReason | None = None

    def __post_init__(self) -> None:
        if is_rebuilding():
            return
        if not 1 <= len(self.idempotency_key) <= 200:
            raise InvalidUsage(
                "idempotency_key must be 1 to 200 characters", field="idempotency_key", allowed="1 to 200 characters"
            )
        check_word(CallStatus, self.status, "status")
        if self.estimate_reason is not None:
            check_word(EstimateReason, self.estimate_reason, "estimate_reason")
        check_moment(self.occurred_at, "occurred_at")
        for field in _TEXTS:
            if not _is_storable(getattr(self, field)):
                raise InvalidUsage(f"{field} holds what no text may", field=field, allowed="Unicode text without NUL")

    @property
    def charge_picos(self) -> int:
        """What budgets are charged: the cost, rounded up to a whole pico where a price is finer."""
        return whole_picos(self.cost_picos)

    @property
    def cost(self) -> Cost:
        """What the call cost."""
        return Cost(self.cost_picos, self.currency)


# So many sums are told at once, and no more: a program that wants all of them asks for less time at once.
MOST_GROUPS = 10_000
Grouping = Literal["model", "provider", "key", "day", "status"]


class UsageQuery(msgspec.Struct, frozen=True):
    """Which usage: that occurred from `since`, up to but not including `until`, of one model or key where given."""

    since: datetime
    until: datetime
    model: str | None = None
    key_id: UUID | None = None

    def __post_init__(self) -> None:
        check_moment(self.since, "since")
        check_moment(self.until, "until")
        if self.since >= self.until:
            raise InvalidValue("since must lie before until", field="since", allowed="a time before until")


class UsageSum(msgspec.Struct, frozen=True):
    """Usage added up: `group` holds the value of each grouping asked for.

    `currency` is the installation's, which prices are in; what a store adds up has none yet.
    """

    group: dict[str, str]
    calls: int
    quantities: Quantities
    cost_picos: Picos
    currency: str = ""

    @property
    def cost(self) -> Cost:
        """What the calls cost."""
        return Cost(self.cost_picos, self.currency)
