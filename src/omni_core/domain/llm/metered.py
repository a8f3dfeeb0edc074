"""A ChatModel that is paid for: no call without a reservation, no answer without a record."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

import msgspec

from omni_core.domain.llm.accounts import Accounts, CallAccount, Caller
from omni_core.domain.llm.belief import Doubt
from omni_core.domain.llm.catalogue import Model
from omni_core.domain.llm.counting import Tally, estimate_answer, estimate_input_tokens, estimate_usage
from omni_core.domain.llm.model import ChatDelta, ChatRequest, ChatResponse, TokenUsage
from omni_core.domain.llm.ports import Capabilities, ChatModel
from omni_core.domain.metering.api import CallStatus


class MeteredChatModel:
    """Wraps a ChatModel for one caller. Usage is durable before the end of an answer is handed on."""

    def __init__(self, inner: ChatModel, accounts: Accounts, caller: Caller, model: Model) -> None:
        self._inner = inner
        self._accounts = accounts
        self._caller = caller
        self._model = model

    @property
    def capabilities(self) -> Capabilities:
        """What the wrapped model can carry."""
        return self._inner.capabilities

    async def complete(self, request: ChatRequest) -> ChatResponse:
        """Return the whole answer, recorded and paid for."""
        account = await self._accounts.open(self._caller, self._model, request)
        try:
            response = await self._inner.complete(account.request)
            doubt = account.doubt_of(response.usage)
            if doubt is not None:
                estimate = estimate_answer(account.request, response.everything, response.reasoning)
                response = msgspec.structs.replace(response, usage=estimate)
            if response.reasoning:
                response = msgspec.structs.replace(response, reasoning="")
        except BaseException:
            account.abandon()
            raise
        await account.commit(response.usage, CallStatus.COMPLETED, doubt)
        return response

    async def stream(self, request: ChatRequest) -> AsyncGenerator[ChatDelta, None]:
        """Yield the answer. Its end, from the finish reason on, is held back until the usage is durable.

        A caller who leaves, and a provider who breaks off, are charged for what was produced until then.
        """
        async with aclosing(self.pieces(request)) as pieces:
            async for piece in pieces:
                if piece is not None:
                    yield piece

    async def pieces(self, request: ChatRequest) -> AsyncGenerator[ChatDelta | None, None]:
        """Yield the answer as `stream` does, and before it None if the model thinks first: the call is under way."""
        account = await self._accounts.open(self._caller, self._model, request)
        produced = _Produced(account)
        end: list[ChatDelta] = []
        finished: set[int] = set()
        try:
            async with aclosing(self._inner.stream(account.request)) as deltas:
                async for piece in deltas:
                    was_started = produced.is_started
                    delta = produced.add(piece)
                    if delta is None:
                        if piece.reasoning and not was_started:
                            yield None
                        continue
                    if delta.finish_reason is not None:
                        finished.add(delta.index)
                    # Of several choices, those that go on are handed on.
                    if delta.usage is not None or (finished and delta.index in finished):
                        end.append(delta)
                    else:
                        yield delta
            await account.commit(produced.usage, CallStatus.COMPLETED, produced.doubt)
        except Exception:
            # Whoever is told of the failure is told after what it cost was recorded.
            await produced.fail()
            raise
        except BaseException:
            produced.leave()
            raise
        for delta in end:
            yield delta


class _Produced:
    """What a stream has brought so far: the provider's last figures, and a tally of what came after them."""

    __slots__ = ("_account", "_reported", "_so_far", "_tally", "doubt", "is_started")

    def __init__(self, account: CallAccount) -> None:
        self._account = account
        self._tally = Tally()
        self._so_far: TokenUsage | None = None
        self._reported: TokenUsage | None = None
        self.is_started = False
        self.doubt: Doubt | None = None

    def add(self, delta: ChatDelta) -> ChatDelta | None:
        """Count a piece, and return what of it is to be handed on: with an estimate for figures that cannot be true."""
        if delta.text:
            self._tally.add(delta.text)
        for call in delta.tool_calls:
            self._tally.add((call.name or "") + call.arguments)
        if delta.reasoning or delta.usage_so_far is not None:
            self._count_hidden(delta)
            delta = msgspec.structs.replace(delta, reasoning="", usage_so_far=None)
            if delta.is_empty:
                return None
        self.is_started = True
        if delta.usage is None:
            return delta
        self.doubt = self._account.doubt_of(delta.usage)
        if self.doubt is None:
            self._reported = delta.usage
            return delta
        return msgspec.structs.replace(delta, usage=self.usage)

    def _count_hidden(self, delta: ChatDelta) -> None:
        if delta.reasoning:
            self.is_started = True
            self._tally.add(delta.reasoning)
        figures, known = delta.usage_so_far, self._so_far
        if figures is None:
            return
        doubt = self._account.doubt_of(figures)
        if doubt is not None:
            self.doubt = doubt
            return
        counted = 0 if known is None else known.output_tokens
        if figures.output_tokens > counted:
            # Figures that do not grow, such as zeros in every piece, have not counted what was produced.
            self._tally.clear()
        if known is None or figures.output_tokens >= counted:
            self._so_far = figures

    @property
    def usage(self) -> TokenUsage:
        """The provider's figures for the call; else those that came on the way, and an estimate of what they lack."""
        if self._reported is not None:
            return self._reported
        so_far, request = self._so_far, self._account.request
        if so_far is None:
            return estimate_usage(request, self._tally.tokens)
        return msgspec.structs.replace(
            so_far,
            # No request is of nothing: a provider that says so has not counted yet.
            input_tokens=so_far.input_tokens or estimate_input_tokens(request),
            output_tokens=so_far.output_tokens + self._tally.tokens,
            estimated=True,
        )

    async def fail(self) -> None:
        """Charge for what was produced, if anything was: the provider has broken off."""
        if self.is_started or (self._so_far is not None and self._so_far.output_tokens):
            await self._account.commit(self.usage, CallStatus.FAILED, self.doubt)
        else:
            self._account.abandon()

    def leave(self) -> None:
        """Charge for what there is without waiting for it: the caller has gone.

        That includes input which the provider says it has read, though nothing was produced: it is paid for it.
        """
        if self.is_started or self._so_far is not None:
            self._account.commit_later(self.usage, CallStatus.INTERRUPTED, self.doubt)
        else:
            self._account.abandon()
