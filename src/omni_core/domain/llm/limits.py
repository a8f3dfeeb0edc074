"""How long a call may take at a provider, and how many calls it gets at once."""

from typing import Annotated, Any, Literal, get_args

import msgspec
from msgspec import Meta, inspect

from omni_core.domain.kernel.errors import InvalidValue

ConnectTimeout = Annotated[float, Meta(gt=0, le=60)]
Timeout = Annotated[float, Meta(gt=0, le=3600)]
TotalTimeout = Annotated[float, Meta(gt=0, le=86_400)]
Connections = Annotated[int, Meta(ge=1, le=100_000)]
ConnectionWait = Annotated[float, Meta(ge=0, le=600)]
Waiting = Annotated[int, Meta(ge=0, le=1_000_000)]


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What is in force for a provider. Times are in seconds; numbers are those of one process."""

    connect_timeout_s: float = 10.0
    """To a connection that can be used, the TLS handshake included."""
    first_byte_timeout_s: float = 120.0
    """From the request being sent to the answer's head. Interim responses (1xx) are no answer."""
    read_timeout_s: float = 120.0
    """The longest silence: between two bytes of an answer, or of a large request that the provider does not read."""
    total_timeout_s: float = 1_800.0
    """The whole call, whatever comes meanwhile, from when it has its connection's place."""
    max_connections: int = 256
    """Calls at once, each of which has a connection of its own."""
    connection_wait_s: float = 10.0
    """The longest wait of a call for one of these, before it is refused."""
    max_waiting: int = 1_000
    """Calls that may wait at once."""


BUILT_IN_LIMITS = Limits()


class OwnLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What was set for one provider; None is left to the settings of llm."""

    connect_timeout_s: ConnectTimeout | None = None
    first_byte_timeout_s: Timeout | None = None
    read_timeout_s: Timeout | None = None
    total_timeout_s: TotalTimeout | None = None
    max_connections: Connections | None = None
    connection_wait_s: ConnectionWait | None = None
    max_waiting: Waiting | None = None

    def over(self, defaults: Limits) -> Limits:
        """Return what is in force. A silence that was set holds before the first byte too, unless that was set."""
        own = own_limits(self)
        if "read_timeout_s" in own:
            own.setdefault("first_byte_timeout_s", own["read_timeout_s"])
        return msgspec.structs.replace(defaults, **own)


LimitName = Literal[
    "connect_timeout_s",
    "first_byte_timeout_s",
    "read_timeout_s",
    "total_timeout_s",
    "max_connections",
    "connection_wait_s",
    "max_waiting",
]
NAMES: tuple[LimitName, ...] = get_args(LimitName)


class ChangeLimits(OwnLimits, frozen=True, forbid_unknown_fields=True):
    """Set limits of a provider; those that are not given stay as they are. Those of `reset` are the settings' again."""

    reset: tuple[LimitName, ...] = ()

    def applied_to(self, before: OwnLimits) -> OwnLimits:
        """Return the provider's limits after the change; raise `InvalidValue` for what is no limit or not allowed."""
        for name in self.reset:
            if name not in NAMES:
                raise InvalidValue("reset must name limits", field="reset", allowed=list(NAMES))
        kept = {name: value for name, value in own_limits(before).items() if name not in self.reset}
        return OwnLimits(**{**kept, **own_limits(check_limits(self))})


_TYPES = {field.name: field.type for field in msgspec.structs.fields(OwnLimits)}


def own_limits(holder: OwnLimits) -> dict[str, Any]:
    """Return the limits that `holder` sets, by name."""
    return {name: value for name in NAMES if (value := getattr(holder, name)) is not None}


def check_limits(own: OwnLimits) -> OwnLimits:
    """Return `own`; raise `InvalidValue` that names the first limit which is not allowed."""
    for name, value in own_limits(own).items():
        try:
            msgspec.convert(value, _TYPES[name])
        except msgspec.ValidationError as error:
            allowed = _allowed(name)
            raise InvalidValue(f"{name} must be {allowed}", field=name, allowed=allowed) from error
    return own


def _allowed(name: str) -> str:
    """Return what a limit may be: `a number above 0, up to 60`, `a whole number from 1 to 100000`."""
    kind: Any = inspect.type_info(_TYPES[name])
    (number,) = (part for part in kind.types if not isinstance(part, inspect.NoneType))
    if isinstance(number, inspect.IntType):
        return f"a whole number from {number.ge} to {number.le}"
    least = f"from {number.ge:g} to" if number.gt is None else f"above {number.gt:g}, up to"
    return f"a number {least} {number.le:g}"
