"""A provider's places for calls at once, given out fairly between tenants."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncGenerator
from contextlib import aclosing

import msgspec

from omni_core.domain.kernel.tenancy import TenantId
from omni_core.domain.llm.errors import ProviderBusy
from omni_core.domain.llm.limits import Limits
from omni_core.domain.llm.model import ChatDelta, ChatRequest, ChatResponse
from omni_core.domain.llm.ports import Capabilities, ChatModel

AGAIN_S = 1.0
"""What a refusal asks callers to wait: a place may be free at any moment."""

_Line = OrderedDict[asyncio.Future[bool], None]


class Load(msgspec.Struct, frozen=True):
    """How a provider's places stand in this process: calls under way, calls that wait, and all that were refused."""

    provider: str
    calls: int
    waiting: int
    refused: int


class Places:
    """As many calls at once as a provider gets of this process. Whoever finds none free waits in turn.

    Turns go round the tenants that wait, whatever number of calls each waits with; the calls of one tenant go in the
    order in which they came. Where as many wait as may, one more pushes out the latest call of whoever waits with the
    most, if that is not its own tenant: so nobody keeps others from waiting.
    """

    def __init__(self, provider: str, limits: Limits) -> None:
        self._provider = provider
        self._limits = limits
        self._taken = 0
        self._waiting = 0
        self._refused = 0
        self._lines: OrderedDict[TenantId, _Line] = OrderedDict()  # the first is next, and none is empty

    @property
    def load(self) -> Load:
        """How these places stand."""
        return Load(self._provider, self._taken, self._waiting, self._refused)

    def change(self, limits: Limits) -> None:
        """Go by other limits: more places are given out at once, and of too many none is taken away."""
        self._limits = limits
        self._give_out()

    def take_free(self) -> bool:
        """Take a place if one is free and nobody waits; tell whether it was taken."""
        if self._lines or self._taken >= self._limits.max_connections:
            return False
        self._taken += 1
        return True

    async def take(self, tenant: TenantId) -> None:
        """Take a place, to be given back; raise `ProviderBusy` where none is free in time."""
        if self.take_free():
            return
        place = self._line_up(tenant)
        try:
            await asyncio.wait((place,), timeout=self._limits.connection_wait_s)
        except asyncio.CancelledError:
            if not self._leave(tenant, place) and place.result():
                self.give_back()  # it was given at the moment at which nobody wanted it any more
            raise
        if self._leave(tenant, place):
            raise self._refusal(f"none became free within {self._limits.connection_wait_s:g} s")
        if not place.result():
            raise self._refusal(f"no more than {self._limits.max_waiting} calls may wait for one")

    def give_back(self) -> None:
        """Let the next one have the place."""
        self._taken -= 1
        self._give_out()

    def _give_out(self) -> None:
        while self._lines and self._taken < self._limits.max_connections:
            tenant, line = self._lines.popitem(last=False)
            place, _ = line.popitem(last=False)
            if line:
                self._lines[tenant] = line  # behind all others that wait
            self._waiting -= 1
            self._taken += 1
            place.set_result(True)

    def _line_up(self, tenant: TenantId) -> asyncio.Future[bool]:
        if self._waiting >= self._limits.max_waiting and not self._push_out(len(self._lines.get(tenant, ()))):
            raise self._refusal(f"no more than {self._limits.max_waiting} calls may wait for one")
        place: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._lines.setdefault(tenant, OrderedDict())[place] = None
        self._waiting += 1
        return place

    def _push_out(self, waiting: int) -> bool:
        """Refuse the latest call of the longest line, if that is still as long as the line of who comes then."""
        tenant = max(self._lines, key=lambda one: len(self._lines[one]), default=None)
        if tenant is None or len(self._lines[tenant]) < waiting + 2:
            return False
        place = next(reversed(self._lines[tenant]))
        self._leave(tenant, place)
        place.set_result(False)
        return True

    def _leave(self, tenant: TenantId, place: asyncio.Future[bool]) -> bool:
        """Take a call out of its line; tell whether it stood there."""
        if place.done():
            return False
        line = self._lines[tenant]
        del line[place]
        if not line:
            del self._lines[tenant]
        self._waiting -= 1
        return True

    def _refusal(self, why: str) -> ProviderBusy:
        self._refused += 1
        limit = self._limits.max_connections
        return ProviderBusy(
            f"Omni calls provider {self._provider!r} over {limit} connections at once; all are in use, and {why}",
            provider=self._provider,
            limit="max_connections",
            max_connections=limit,
            retry_after_s=AGAIN_S,
        )


class PlacedChatModel:
    """A ChatModel whose calls each take a place, on behalf of one tenant, from before they begin until they end."""

    def __init__(self, inner: ChatModel, places: Places, tenant: TenantId) -> None:
        self._inner = inner
        self._places = places
        self._tenant = tenant

    @property
    def capabilities(self) -> Capabilities:
        """What the wrapped model can carry."""
        return self._inner.capabilities

    async def complete(self, request: ChatRequest) -> ChatResponse:
        """Return the whole answer; raise `ProviderBusy` where no place is free in time."""
        if not self._places.take_free():
            await self._places.take(self._tenant)
        try:
            return await self._inner.complete(request)
        finally:
            self._places.give_back()

    async def stream(self, request: ChatRequest) -> AsyncGenerator[ChatDelta, None]:
        """Yield the answer piece by piece; raise `ProviderBusy` where no place is free in time."""
        if not self._places.take_free():
            await self._places.take(self._tenant)
        try:
            async with aclosing(self._inner.stream(request)) as deltas:
                async for delta in deltas:
                    yield delta
        finally:
            self._places.give_back()
