"""The gateway: the one way from a caller to a model."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from datetime import datetime
from typing import TypeVar
from uuid import UUID

import msgspec

from omni_core.domain.kernel.clock import Clock
from omni_core.domain.kernel.ids import Ids
from omni_core.domain.kernel.tenancy import Principal, Scope
from omni_core.domain.llm.accounts import Accounts, Caller
from omni_core.domain.llm.errors import ProviderGarbage, UnsupportedFeature
from omni_core.domain.llm.keyed import Place, check_key, fingerprint_of
from omni_core.domain.llm.metered import MeteredChatModel
from omni_core.domain.llm.model import ChatDelta, ChatRequest, ChatResponse
from omni_core.domain.llm.once import KeyedCalls
from omni_core.domain.llm.places import Load
from omni_core.domain.llm.ports import Capabilities, ChatModel, UsageWitness
from omni_core.domain.llm.routes import Routes
from omni_core.domain.llm.run import Run

_Piece = TypeVar("_Piece", ChatDelta, ChatDelta | None)


class ChatAnswer(msgspec.Struct, frozen=True):
    """A whole answer. `id` is that of its usage event, `model` the name by which it was asked for.

    `is_replay` says that it was given before, under the same idempotency key.
    """

    id: UUID
    model: str
    created_at: datetime
    response: ChatResponse
    is_replay: bool = False


class ChatStream:
    """A streamed answer that has begun. Iterate over it, and `aclose` it whatever happens.

    `id` and `is_replay` are as of `ChatAnswer`.
    """

    def __init__(
        self,
        id: UUID,
        model: str,
        created_at: datetime,
        first: ChatDelta | None,
        rest: AsyncGenerator[ChatDelta | None, None],
        *,
        is_replay: bool = False,
    ) -> None:
        self.id = id
        self.model = model
        self.created_at = created_at
        self.is_replay = is_replay
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
        """End the call at the provider; what was produced is charged. One under an idempotency key goes on."""
        await self._rest.aclose()


class Gateway:
    """Chat, for callers with the scope `chat`."""

    def __init__(self, routes: Routes, accounts: Accounts, keyed: KeyedCalls, clock: Clock, ids: Ids) -> None:
        self._routes = routes
        self._accounts = accounts
        self._keyed = keyed
        self._clock = clock
        self._ids = ids

    async def chat_model(self, principal: Principal, model: str, request_id: str = "") -> ChatModel:
        """Return a ChatModel that calls `model` on the principal's account (chat); raise `UnknownModel`."""
        principal.require(Scope.CHAT)
        route = await self._routes.find(model)
        client = route.client_for(principal.tenant_id)
        return MeteredChatModel(client, self._accounts, Caller(principal, request_id), route.model)

    async def complete(
        self, principal: Principal, request: ChatRequest, request_id: str = "", *, idempotency_key: str | None = None
    ) -> ChatAnswer:
        """Return a whole answer (chat); its usage is durable by then. Raises the errors of llm, pricing and budgets.

        Under an `idempotency_key`, which is the caller's own, the call is made and paid for once, whoever hangs up or
        asks again: the same request is answered the same, and another one refused with `IdempotencyKeyReused`.
        """
        if idempotency_key is not None:
            run, is_first = self._joined(principal, request, request_id, idempotency_key, streamed=False)
            response = await run.whole(None if is_first else self._keyed.terms.wait_s)
            return ChatAnswer(run.call_id, request.model, run.created_at, response, run.is_replay or not is_first)
        call_id = self._ids.new()
        model, upstream = await self._prepare(Caller(principal, request_id, call_id), request)
        created_at = self._clock.now()
        response = await model.complete(upstream)
        return ChatAnswer(call_id, request.model, created_at, response)

    async def stream(
        self, principal: Principal, request: ChatRequest, request_id: str = "", *, idempotency_key: str | None = None
    ) -> ChatStream:
        """Return an answer that has begun, with words or with thought, so that what fails before is raised here (chat).

        An `idempotency_key` is as for `complete`; a stream under one is brought to its end also where nobody reads it.
        """
        if idempotency_key is not None:
            run, is_first = self._joined(principal, request, request_id, idempotency_key, streamed=True)
            pieces = run.follow(None if is_first else self._keyed.terms.wait_s)
            first = await _first(pieces)
            is_replay = run.is_replay or not is_first
            return ChatStream(run.call_id, request.model, run.created_at, first, pieces, is_replay=is_replay)
        call_id = self._ids.new()
        model, upstream = await self._prepare(Caller(principal, request_id, call_id), request)
        created_at = self._clock.now()
        deltas = model.pieces(upstream)
        return ChatStream(call_id, request.model, created_at, await _first(deltas), deltas)

    def loads(self) -> Sequence[Load]:
        """Return how many calls are under way, wait and were refused at each provider, in this process."""
        return self._routes.loads()

    def witnessed_by(self, witness: UsageWitness) -> None:
        """Let `witness` hear from now on what each call is charged for, and whether its provider was believed."""
        self._accounts.witnesses.append(witness)

    async def settled(self) -> None:
        """Wait until the calls whose callers have left are recorded."""
        await self._keyed.settled()
        await self._accounts.late.settled()

    def _joined(
        self, principal: Principal, request: ChatRequest, request_id: str, key: str, *, streamed: bool
    ) -> tuple[Run, bool]:
        """Return the run of a key, and whether it began by this; raise `InvalidIdempotencyKey` and the like."""
        principal.require(Scope.CHAT)
        Caller(principal, request_id)
        place = Place(principal.tenant_id, principal.subject, check_key(key))

        async def make(run: Run) -> None:
            model, upstream = await self._prepare(Caller(principal, request_id, run.call_id, run), request)
            if not streamed:
                run.answer(await model.complete(upstream))
                return
            async for piece in model.stream(upstream):
                run.add(piece)

        return self._keyed.join(place, fingerprint_of(request, streamed=streamed), make)

    async def _prepare(self, caller: Caller, request: ChatRequest) -> tuple[MeteredChatModel, ChatRequest]:
        caller.principal.require(Scope.CHAT)
        route = await self._routes.find(request.model)
        _check(request, route.client.capabilities)
        client = route.client_for(caller.principal.tenant_id)
        model = MeteredChatModel(client, self._accounts, caller, route.model)
        return model, msgspec.structs.replace(request, model=route.model.upstream_model)


async def _first(pieces: AsyncGenerator[_Piece, None]) -> _Piece:
    try:
        return await anext(pieces)
    except StopAsyncIteration as error:
        raise ProviderGarbage("the stream ended before it began") from error


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
