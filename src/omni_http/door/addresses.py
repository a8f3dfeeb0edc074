"""How many connections each address has."""

from functools import lru_cache
from ipaddress import IPv6Address, IPv6Network, ip_address

from omni_core.bootstrap.settings.http import Network

# Whoever has one address of such a network has all of them.
_NETWORK_OF_ONE_IPV6_USER = 64


class Addresses:
    """Counts connections by address, and knows how many one may have. Those of proxies are not counted."""

    def __init__(self, limit: int, proxies: tuple[Network, ...]) -> None:
        self._limit = limit
        self._proxies = proxies
        self._counts: dict[str, int] = {}
        self._owner_of = lru_cache(4096)(self._find_owner)

    def __len__(self) -> int:
        return len(self._counts)

    def enter(self, address: str) -> bool:
        """Count another connection of an address, unless it has as many as it may."""
        owner = self._owner_of(address) if self._limit else None
        if owner is None:
            return True
        count = self._counts.get(owner, 0)
        if count >= self._limit:
            return False
        self._counts[owner] = count + 1
        return True

    def leave(self, address: str) -> None:
        """Count one less. Only what has entered may leave."""
        owner = self._owner_of(address) if self._limit else None
        if owner is None:
            return
        left = self._counts[owner] - 1
        if left:
            self._counts[owner] = left
        else:
            del self._counts[owner]

    def _find_owner(self, address: str) -> str | None:
        """Return what an address's connections are counted as; None where they are not."""
        parsed = ip_address(address)
        if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is not None:
            parsed = parsed.ipv4_mapped
        if any(parsed in network for network in self._proxies):
            return None
        if isinstance(parsed, IPv6Address):
            return str(IPv6Network((int(parsed), _NETWORK_OF_ONE_IPV6_USER), strict=False))
        return str(parsed)
