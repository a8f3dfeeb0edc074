"""A ChatModel over HTTP, in whichever protocol its dialect speaks."""

from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from typing import Protocol

import msgspec

from omni_core.adapters.llm.failures import Failures
from omni_core.adapters.llm.transport import HttpTransport, endpoint
from omni_core.domain.kernel.errors import OmniError
from omni_core.domain.llm.errors import ProviderNotReady, ProviderRejected
from omni_core.domain.llm.model import ChatDelta, ChatRequest, ChatResponse, TokenUsage
from omni_core.domain.llm.ports import Capabilities, ProviderConfig

# The decoder gives nesting that is too deep no name of its own.
_UNREADABLE = (ValueError, RecursionError)


class Broken(ValueError):
    """The answer is JSON, but not an answer; the text completes "the provider ..."."""


class Reported(ValueError):
    """The answer holds an error object, which is the argument."""


class AnswerReader(Protocol):
    """Reads one streamed answer. Methods raise `Broken`, `Reported` or `msgspec.DecodeError`."""

    def over(self) -> bool:
        """Say whether the answer said that it was over."""
        ...

    def read(self, event: bytes) -> ChatDelta | Sequence[ChatDelta] | None:
        """Return what the data of one event adds, or None where it adds nothing to be passed on."""
        ...

    def end(self) -> TokenUsage:
        """Return the usage once there is nothing more to read; raise `Broken` if the answer is not whole."""
        ...


class Dialect(Protocol):
    """A provider's wire format."""

    @property
    def path(self) -> str:
        """Where requests are posted, below the base URL."""
        ...

    @property
    def capabilities(self) -> Capabilities:
        """What the format can carry."""
        ...

    def headers(self, api_key: str | None) -> Mapping[str, str]:
        """Return the headers of each request."""
        ...

    def encode(self, request: ChatRequest, *, stream: bool) -> bytes:
        """Return the request's body; raise `UnsupportedFeature` for what the format cannot say."""
        ...

    def decode(self, body: bytes, request: ChatRequest) -> ChatResponse:
        """Return the whole answer; raise `Broken`, `Reported` or `msgspec.DecodeError`."""
        ...

    def reader(self, request: ChatRequest) -> AnswerReader:
        """Return the reader of one streamed answer to `request`."""
        ...


class HttpChatModel:
    """Calls a provider. See `transport` for time limits and connections, the dialect for what is sent."""

    def __init__(self, config: ProviderConfig, dialect: Dialect, *, base_url: str) -> None:
        """Check the configuration; raise `InvalidValue` (URL) or `ProviderNotReady` (key). Opens no connection."""
        if config.api_key is not None and not (config.api_key.isascii() and config.api_key.isprintable()):
            raise ProviderNotReady(f"The key of provider {config.name!r} holds characters that no key has")
        self._dialect = dialect
        self._failures = Failures(config.name, config.api_key)
        self._transport = HttpTransport(
            config,
            url=endpoint(base_url, dialect.path),
            headers=dialect.headers(config.api_key),
            failures=self._failures,
        )

    @property
    def capabilities(self) -> Capabilities:
        return self._dialect.capabilities

    async def complete(self, request: ChatRequest) -> ChatResponse:
        body = await self._transport.post(self._encoded(request, stream=False))
        try:
            return self._dialect.decode(body, request)
        except _UNREADABLE as error:
            raise self._translated(error) from error

    async def stream(self, request: ChatRequest) -> AsyncGenerator[ChatDelta, None]:
        reader = self._dialect.reader(request)
        events = await self._transport.stream(self._encoded(request, stream=True))
        try:
            while not reader.over() and (batch := await events.read()):
                for delta in pieces_of(reader, batch):
                    yield delta
            usage = reader.end()
            await events.finish()
            yield ChatDelta(usage=usage)
        except _UNREADABLE as error:
            raise self._translated(error) from error
        finally:
            events.close()

    async def aclose(self) -> None:
        await self._transport.aclose()

    def _encoded(self, request: ChatRequest, *, stream: bool) -> bytes:
        try:
            return self._dialect.encode(request, stream=stream)
        except UnicodeEncodeError as error:  # a lone surrogate
            raise ProviderRejected("The request holds text that is not Unicode", field="messages") from error

    def _translated(self, error: ValueError | RecursionError) -> OmniError:
        match error:
            case Reported():
                return self._failures.of_report(error.args[0])
            case Broken():
                return self._failures.garbage(str(error))
            case msgspec.DecodeError() | UnicodeDecodeError() | RecursionError():
                return self._failures.garbage("answered something that is not of its protocol")
            case _:
                raise error


def pieces_of(reader: AnswerReader, batch: Sequence[bytes]) -> Iterator[ChatDelta]:
    """Read events that arrived together. Their words become one piece: each costs its way through Omni only once."""
    held: list[ChatDelta] = []
    has_figures = False  # the last of them
    try:
        for event in batch:
            read = reader.read(event)
            for delta in (read,) if isinstance(read, ChatDelta) else read or ():
                is_plain = delta.is_plain
                # Figures count what came before them and with them, so nothing that comes after joins their piece.
                if held and not (is_plain and (not has_figures or delta.usage_so_far is not None)):
                    yield _joined(held)
                    held.clear()
                if is_plain:
                    held.append(delta)
                    has_figures = delta.usage_so_far is not None
                else:
                    yield delta
            if reader.over():
                break
    except _UNREADABLE:
        # What came before the fault was produced, and is passed on and charged.
        if held:
            yield _joined(held)
        raise
    # Figures alone that came with the end come again as the answer's usage.
    if held and not (reader.over() and len(held) == 1 and held[0].text == held[0].reasoning == ""):
        yield _joined(held)


def _joined(held: list[ChatDelta]) -> ChatDelta:
    """Return pieces of words as one, with the newest figures, which count all of them."""
    if len(held) == 1:
        return held[0]
    return ChatDelta(
        "".join([delta.text for delta in held]),
        reasoning="".join([delta.reasoning for delta in held]),
        usage_so_far=held[-1].usage_so_far,
    )
