"""A ChatModel that says what it was told to say, for tests of whatever stands around a model."""

import asyncio
from collections.abc import AsyncGenerator, Sequence

from omni_core.domain.llm.model import ChatDelta, ChatRequest, ChatResponse, FinishReason, Message, Role, TokenUsage
from omni_core.domain.llm.ports import Capabilities, ProviderConfig

USAGE = TokenUsage(input_tokens=100, output_tokens=20)
ANSWER = (
    ChatDelta("Forty"),
    ChatDelta("-two."),
    ChatDelta(finish_reason=FinishReason.STOP),
    ChatDelta(usage=USAGE),
)


class ScriptedChatModel:
    """Yields `script` in order; an exception in it is raised where it stands. `requests` holds what was asked.

    While `hold` is not set, a stream waits before each piece but the first.
    """

    def __init__(
        self, script: Sequence[ChatDelta | Exception] = ANSWER, capabilities: Capabilities | None = None
    ) -> None:
        self._script = script
        self._capabilities = capabilities or Capabilities(tools=True, images=True, json_schema=True)
        self.requests: list[ChatRequest] = []
        self.ended = 0
        self.hold = asyncio.Event()
        self.hold.set()
        self.is_closed = False

    def factory(self, config: ProviderConfig) -> "ScriptedChatModel":
        """Be the factory of this one model."""
        return self

    @property
    def capabilities(self) -> Capabilities:
        """What the model was said to carry."""
        return self._capabilities

    async def complete(self, request: ChatRequest) -> ChatResponse:
        """Return the whole script as one answer."""
        text, reasoning, finish, usage = "", "", FinishReason.STOP, USAGE
        async for delta in self.stream(request):
            text += delta.text
            reasoning += delta.reasoning
            finish = delta.finish_reason or finish
            usage = delta.usage or usage
        return ChatResponse(request.model, Message.of(Role.ASSISTANT, text), finish, usage, reasoning=reasoning)

    async def stream(self, request: ChatRequest) -> AsyncGenerator[ChatDelta, None]:
        """Yield the script."""
        self.requests.append(request)
        try:
            for index, step in enumerate(self._script):
                if index:
                    await self.hold.wait()
                if isinstance(step, Exception):
                    raise step
                yield step
        finally:
            self.ended += 1

    async def aclose(self) -> None:
        """Note that the client was closed."""
        self.is_closed = True
