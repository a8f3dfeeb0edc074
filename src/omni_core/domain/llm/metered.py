"""A ChatModel that is paid for: no call without a reservation, no answer without a record."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

import msgspec

from omni_core.domain.llm.accounts import Accounts, CallAccount, Caller
from omni_core.domain.llm.catalogue import Model
from omni_core.domain.llm.counting import Tally, estimate_answer, estimate_usage, is_credible
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
            if not is_credible(response.usage):
                estimate = estimate_answer(account.request, response.message)
                response = msgspec.structs.replace(response, usage=estimate)
        except BaseException:
            account.abandon()
            raise
        await account.commit(response.usage, CallStatus.COMPLETED)
        return response

    async def stream(self, request: ChatRequest) -> AsyncGenerator[ChatDelta, None]:
        """Yield the answer. Its end, from the finish reason on, is held back until the usage is durable.

        A caller who leaves, and a provider who breaks off, are charged for what was produced until then.
        """
        account = await self._accounts.open(self._caller, self._model, request)
        produced = _Produced(account)
        end: list[ChatDelta] = []
        try:
            async with aclosing(self._inner.stream(account.request)) as deltas:
                async for piece in deltas:
                    delta = produced.add(piece)
                    if end or delta.finish_reason is not None:
                        end.append(delta)
                    else:
                        yield delta
            await account.commit(produced.usage, CallStatus.COMPLETED)
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
    """What a stream has brought so far."""

    __slots__ = ("_account", "_reported", "_started", "_tally")

    def __init__(self, account: CallAccount) -> None:
        self._account = account
        self._tally = Tally()
        self._started = False
        self._reported: TokenUsage | None = None

    def add(self, delta: ChatDelta) -> ChatDelta:
        """Count a piece, and return it as it is to be handed on: with an estimate for figures that cannot be true."""
        self._started = True
        if delta.text:
            self._tally.add(delta.text)
        for call in delta.tool_calls:
            self._tally.add((call.name or "") + call.arguments)
        if delta.usage is None:
            return delta
        if is_credible(delta.usage):
            self._reported = delta.usage
            return delta
        return msgspec.structs.replace(delta, usage=self.usage)

    @property
    def usage(self) -> TokenUsage:
        """The provider's figures, or an estimate where it gave none that can be true."""
        return self._reported or estimate_usage(self._account.request, self._tally.tokens)

    async def fail(self) -> None:
        """Charge for what there is, if there is anything: the provider has broken off."""
        if self._started:
            await self._account.commit(self.usage, CallStatus.FAILED)
        else:
            self._account.abandon()

    def leave(self) -> None:
        """Charge for what there is, if there is anything, without waiting for it: the caller has gone."""
        if self._started:
            self._account.commit_later(self.usage, CallStatus.INTERRUPTED)
        else:
            self._account.abandon()
