"""The gateway: the one way from a caller to a model."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from omni_core.domain.kernel.clock import Clock
from omni_core.domain.kernel.ids import Ids
from omni_core.domain.kernel.tenancy import Principal, Scope
from omni_core.domain.llm.accounts import Accounts, Caller
from omni_core.domain.llm.errors import ProviderGarbage, UnsupportedFeature
from omni_core.domain.llm.metered import MeteredChatModel
from omni_core.domain.llm.model import ChatDelta, ChatRequest, ChatResponse
from omni_core.domain.llm.places import Load
from omni_core.domain.llm.ports import Capabilities, ChatModel
from omni_core.domain.llm.routes import Routes


class ChatAnswer(msgspec.Struct, frozen=True):
    """A whole answer. `model` is the name by which it was asked for."""

    id: UUID
    model: str
    created_at: datetime
    response: ChatResponse


class ChatStream:
    """A streamed answer that has begun. Iterate over it, and `aclose` it whatever happens."""

    def __init__(
        self,
        id: UUID,
        model: str,
        created_at: datetime,
        first: ChatDelta | None,
        rest: AsyncGenerator[ChatDelta | None, None],
    ) -> None:
        self.id = id
        self.model = model
        self.created_at = created_at
        self._first: ChatDelta | None = first
        self._rest = rest

    def __aiter__(self) -> AsyncIterator[ChatDelta]:
        return self

    async def __anext__(self) -> ChatDelta:
        delta, self._first = self._first, None
        while delta is None:
            delta = await anext(self._rest)
        return delta

    async def aclose(self) -> None:
        """End the call at the provider; what was produced is charged."""
        await self._rest.aclose()


class Gateway:
    """Chat, for callers with the scope `chat`."""

    def __init__(self, routes: Routes, accounts: Accounts, clock: Clock, ids: Ids) -> None:
        self._routes = routes
        self._accounts = accounts
        self._clock = clock
        self._ids = ids

    async def chat_model(self, principal: Principal, model: str, request_id: str = "") -> ChatModel:
        """Return a ChatModel that calls `model` on the principal's account (chat); raise `UnknownModel`."""
        principal.require(Scope.CHAT)
        route = await self._routes.find(model)
        client = route.client_for(principal.tenant_id)
        return MeteredChatModel(client, self._accounts, Caller(principal, request_id), route.model)

    async def complete(self, principal: Principal, request: ChatRequest, request_id: str = "") -> ChatAnswer:
        """Return a whole answer; its usage is durable by then. Raises the errors of llm, pricing and budgets."""
        model, upstream = await self._prepare(principal, request, request_id)
        created_at = self._clock.now()
        response = await model.complete(upstream)
        return ChatAnswer(self._ids.new(), request.model, created_at, response)

    async def stream(self, principal: Principal, request: ChatRequest, request_id: str = "") -> ChatStream:
        """Return an answer that has begun, with words or with thought, so that what fails before is raised here."""
        model, upstream = await self._prepare(principal, request, request_id)
        created_at = self._clock.now()
        deltas = model.pieces(upstream)
        try:
            first = await anext(deltas)
        except StopAsyncIteration as error:
            raise ProviderGarbage("the stream ended before it began") from error
        return ChatStream(self._ids.new(), request.model, created_at, first, deltas)

    def loads(self) -> Sequence[Load]:
        """Return how many calls are under way, wait and were refused at each provider, in this process."""
        return self._routes.loads()

    async def settled(self) -> None:
        """Wait until the calls whose callers have left are recorded."""
        await self._accounts.late.settled()

    async def _prepare(
        self, principal: Principal, request: ChatRequest, request_id: str
    ) -> tuple[MeteredChatModel, ChatRequest]:
        principal.require(Scope.CHAT)
        route = await self._routes.find(request.model)
        _check(request, route.client.capabilities)
        client = route.client_for(principal.tenant_id)
        model = MeteredChatModel(client, self._accounts, Caller(principal, request_id), route.model)
        return model, msgspec.structs.replace(request, model=route.model.upstream_model)


def _check(request: ChatRequest, able: Capabilities) -> None:
    """Raise `UnsupportedFeature` where the request asks for what the model's adapter cannot carry."""
    if not able.tools and request.tools:
        raise UnsupportedFeature(f"{request.model} takes no tools", field="tools")
    if not able.images and request.images:
        raise UnsupportedFeature(f"{request.model} takes no images", field="messages")
    wanted = request.response_format
    if wanted is not None and wanted.kind == "json_schema" and not able.json_schema:
        raise UnsupportedFeature(f"{request.model} answers in no JSON schema", field="response_format")
    able.extra_of(request)
