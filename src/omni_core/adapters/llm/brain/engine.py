"""omni-brain as a ChatModel: what it accepts, where it computes, how it streams."""

import asyncio
from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor

from omni_core.adapters.llm.brain.reply import Reply, reply
from omni_core.adapters.llm.brain.tokens import pieces
from omni_core.domain.llm.errors import ProviderRejected, ProviderTimeout, ProviderUnavailable, UnsupportedFeature
from omni_core.domain.llm.model import ChatDelta, ChatRequest, ChatResponse, Message, Role
from omni_core.domain.llm.ports import Capabilities, ProviderConfig

MODEL = "omni-brain"
"""The name of its one model, which answers whatever name it is called by."""
LONGEST_INPUT = 400_000
"""Characters of a conversation that are accepted; the longest take about as long as docs/howto/omni-brain.md says."""
LONGEST_INLINE = 2_000
"""Characters up to which the event loop computes the answer itself, which then takes a few milliseconds."""
PIECE = 8
"""Tokens of a streamed piece."""
_CAPABILITIES = Capabilities(tools=False, images=False, json_schema=False, sampling=False)


class OmniBrain:
    """An extractive engine behind the port of a language model (`OpenChatModel`).

    Requests above `LONGEST_INLINE` are computed in one thread of its own, one after the other: it is pure Python, so
    that a second thread would only slow the first. They wait at most as long as an
    answer may take to begin.
    """

    def __init__(self, config: ProviderConfig) -> None:
        self._name = config.name
        self._limit = min(("first_byte_timeout_s", "total_timeout_s"), key=lambda limit: getattr(config, limit))
        self._limit_s: float = getattr(config, self._limit)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=MODEL)
        self._closed = False

    @property
    def capabilities(self) -> Capabilities:
        return _CAPABILITIES

    async def complete(self, request: ChatRequest) -> ChatResponse:
        """Return the whole answer.

        Raises `UnsupportedFeature` for tools, pictures and JSON Schemas, `ProviderRejected` for more than
        `LONGEST_INPUT` characters, `ProviderTimeout`, and `ProviderUnavailable` after `aclose`.
        """
        answered = await self._reply(request)
        message = Message.of(Role.ASSISTANT, answered.text)
        return ChatResponse(MODEL, message, answered.finish_reason, answered.usage)

    async def stream(self, request: ChatRequest) -> AsyncGenerator[ChatDelta, None]:
        """Yield the answer of `complete` in pieces of `PIECE` tokens, then why it ended and its usage."""
        answered = await self._reply(request)
        for piece in pieces(answered.text, PIECE):
            yield ChatDelta(text=piece)
            await asyncio.sleep(0)  # a long answer leaves the loop to others between two pieces
        yield ChatDelta(finish_reason=answered.finish_reason, usage=answered.usage)

    async def aclose(self) -> None:
        """End the thread once its calls are done."""
        self._closed = True
        self._thread.shutdown(wait=False)

    async def _reply(self, request: ChatRequest) -> Reply:
        _refuse_unsupported(request)
        if self._closed:
            raise ProviderUnavailable(f"{self._name} is closed", provider=self._name)
        size = _size(request)
        if size > LONGEST_INPUT:
            raise ProviderRejected(
                f"{MODEL} reads at most {LONGEST_INPUT} characters of messages, and these have {size}",
                field="messages",
                allowed=f"up to {LONGEST_INPUT} characters",
                value=size,
            )
        if size <= LONGEST_INLINE:
            await asyncio.sleep(0)  # many short calls in a row leave the loop to others in between
            return reply(request)
        try:
            async with asyncio.timeout(self._limit_s):
                return await asyncio.get_running_loop().run_in_executor(self._thread, reply, request)
        except TimeoutError as error:
            raise ProviderTimeout(
                f"Provider {self._name!r} did not begin its answer within {self._limit_s:g} s ({self._limit})",
                provider=self._name,
                limit=self._limit,
                limit_s=self._limit_s,
            ) from error


def _refuse_unsupported(request: ChatRequest) -> None:
    schema = request.response_format is not None and request.response_format.kind == "json_schema"
    for asked, field, what in (
        (bool(request.tools), "tools", "call tools"),
        (request.images > 0, "messages", "look at pictures"),
        (schema, "response_format", "follow a JSON Schema; json_object it can"),
    ):
        if asked:
            raise UnsupportedFeature(f"{MODEL} cannot {what}", field=field, model=request.model)
    _CAPABILITIES.extra_of(request)


def _size(request: ChatRequest) -> int:
    return sum(
        len(message.text) + sum(len(call.name) + len(call.arguments) for call in message.tool_calls)
        for message in request.messages
    )
