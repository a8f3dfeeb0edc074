"""A ChatModel that is paid for: no call without a reservation, no answer without a record."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from omni_core.domain.llm.accounts import Accounts, CallAccount, Caller
from omni_core.domain.llm.catalogue import Model
from omni_core.domain.llm.counting import Tally, estimate_usage
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
                async for delta in deltas:
                    produced.add(delta)
                    if end or delta.finish_reason is not None:
                        end.append(delta)
                    else:
                        yield delta
            await account.commit(produced.usage, CallStatus.COMPLETED)
        except (GeneratorExit, asyncio.CancelledError):
            produced.leave(CallStatus.INTERRUPTED)
            raise
        except BaseException:
            produced.leave(CallStatus.FAILED)
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

    def add(self, delta: ChatDelta) -> None:
        """Count a piece."""
        self._started = True
        if delta.text:
            self._tally.add(delta.text)
        for call in delta.tool_calls:
            self._tally.add((call.name or "") + call.arguments)
        if delta.usage is not None:
            self._reported = delta.usage

    @property
    def usage(self) -> TokenUsage:
        """The provider's figures, or an estimate where it gave none."""
        return self._reported or estimate_usage(self._account.request, self._tally.tokens)

    def leave(self, status: CallStatus) -> None:
        """Charge for what there is, if there is anything."""
        if self._started:
            self._account.commit_later(self.usage, status)
        else:
            self._account.abandon()
