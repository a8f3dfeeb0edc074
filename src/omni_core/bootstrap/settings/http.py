"""The settings of the HTTP server: what it lets in, and for how long it waits."""

from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated

from msgspec import Meta

from omni_core.bootstrap.settings.section import InvalidSetting, Section

Network = IPv4Network | IPv6Network
NOWHERE = "none"
PRIVATE = "private"
_PRIVATE_NETWORKS = (
    *("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16"),
    *("::1/128", "fc00::/7", "fe80::/10"),
)
_ALLOWED = "private, none, or networks such as 10.0.0.0/8, 203.0.113.7"
_Seconds = Annotated[float, Meta(gt=0, le=3600)]


class HttpSettings(Section, frozen=True, kw_only=True):
    """Limits on what comes in, before anything is done with it, and on what is left waiting."""

    header_bytes: Annotated[
        int,
        Meta(ge=1024, le=1 << 20, description="Largest headers of a request, all together, in bytes. Default 32,768."),
    ] = 32_768
    header_fields: Annotated[int, Meta(ge=8, le=10_000, description="Most headers of a request. Default 100.")] = 100
    target_bytes: Annotated[
        int,
        Meta(ge=64, le=1 << 20, description="Longest path and query in a request line, in bytes. Default 8,192."),
    ] = 8_192
    head_s: Annotated[
        _Seconds, Meta(description="Longest time for a request line and its headers to come, in seconds. Default 10.")
    ] = 10.0
    body_s: Annotated[
        _Seconds,
        Meta(description="Longest time for a body beyond what OMNI_HTTP_BODY_RATE gives it, in seconds. Default 30."),
    ] = 30.0
    body_rate: Annotated[
        int,
        Meta(ge=1, le=1 << 30, description="Bytes of a body that give it another second to come. Default 10,000."),
    ] = 10_000
    idle_s: Annotated[
        _Seconds,
        Meta(description="How long a connection is kept between two requests, in seconds. Default 75."),
    ] = 75.0
    send_s: Annotated[
        float,
        Meta(
            gt=0, le=30, description="Longest wait for a client that does not read its answer, in seconds. Default 30."
        ),
    ] = 30.0
    connections: Annotated[
        int, Meta(ge=0, le=1_000_000, description="Most connections of one address; 0 for any number. Default 1,000.")
    ] = 1_000
    proxies: Annotated[
        str,
        Meta(
            title=_ALLOWED,
            description="Addresses that are proxies: their connections are not counted. Default private.",
        ),
    ] = PRIVATE
    grace_s: Annotated[
        float,
        Meta(ge=0, le=3600, description="How long calls under way may go on after SIGTERM, in seconds. Default 10."),
    ] = 10.0

    @classmethod
    def prepared(cls, field: str, raw: object, variable: str) -> object:
        """Refuse proxies that are no networks."""
        if field == "proxies" and isinstance(raw, str):
            try:
                networks_of(raw)
            except ValueError as error:
                raise InvalidSetting(
                    f"{variable} {raw!r}: {error}; allowed is {_ALLOWED}", field=variable, allowed=_ALLOWED
                ) from error
        return raw


def networks_of(proxies: str) -> tuple[Network, ...]:
    """Return the networks that the setting `proxies` names; raise `ValueError` for what is none."""
    words = [word.strip() for word in proxies.split(",")]
    if words == [NOWHERE]:
        return ()
    named = [part for word in words for part in (_PRIVATE_NETWORKS if word == PRIVATE else (word,))]
    return tuple(ip_network(part) for part in named)
