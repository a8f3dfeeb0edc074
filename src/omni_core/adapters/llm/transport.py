"""One provider's HTTP connections: a request out, an answer's bytes or events in, within limits of time and size."""

import asyncio
import contextlib
from collections.abc import Mapping
from urllib.parse import urlsplit

import aiohttp
from yarl import URL

from omni_core.adapters.llm.deadlines import AnswerBody, CallDeadlines, Watch
from omni_core.adapters.llm.failures import Failures
from omni_core.adapters.llm.sse import EventTooLarge, SseParser
from omni_core.domain.kernel.errors import InvalidValue, OmniError
from omni_core.domain.llm.ports import ProviderConfig

MAX_BODY_BYTES = 16 * 1024 * 1024
"""The largest answer that is read; a streamed one is not limited as a whole."""

_LINGER_S = 0.1
"""How long to wait for the end of a response whose stream said that it was over, so as to reuse its connection."""


class HttpTransport:
    """Posts JSON to one URL of a provider over connections that are kept.

    Redirects are not followed, and proxies and credentials of the environment are not used: a provider's key goes to
    the configured host and nowhere else. The session opens with the first call, in the loop that makes it. Each
    call has a connection of its own; how many there may be at once is for the gateway to say, which knows the callers.

    Four deadlines end what does not come: see `Limits`, and `deadlines` for how they are kept.
    """

    def __init__(self, config: ProviderConfig, *, url: str, headers: Mapping[str, str], failures: Failures) -> None:
        self._config = config
        self._failures = failures
        self._url = URL(url)
        self._headers = {**headers, "Content-Type": "application/json", "Accept-Encoding": "identity"}
        self._opened: tuple[aiohttp.ClientSession, Watch] | None = None
        self._closed = False

    async def post(self, body: bytes) -> bytes:
        """Return the whole answer; raise the `Provider…` errors."""
        answer = (await self._send(body))[1]
        try:
            return await self._read_all(answer)
        finally:
            answer.close()

    async def stream(self, body: bytes) -> "EventStream":
        """Return the events of the answer as they come; the caller closes it. Raise the `Provider…` errors."""
        response, answer = await self._send(body)
        if response.content_type != "application/json":
            return EventStream(answer, self._failures)
        try:
            raise self._failures.of_unstreamed(await self._read_all(answer))
        finally:
            answer.close()

    async def aclose(self) -> None:
        self._closed = True
        opened, self._opened = self._opened, None
        if opened is not None:
            session, watch = opened
            watch.close()
            await session.close()

    async def _send(self, body: bytes) -> tuple[aiohttp.ClientResponse, AnswerBody]:
        session, watch = self._opened or self._open()
        deadlines = CallDeadlines(self._config, self._failures, watch)
        try:
            with deadlines:
                response = await session.post(self._url, data=deadlines.body(body), allow_redirects=False)
        except aiohttp.ConnectionTimeoutError as error:
            raise self._failures.late(
                "connect_timeout_s", self._config.connect_timeout_s, "accept a connection"
            ) from error
        except aiohttp.ClientResponseError as error:
            raise self._failures.garbage("answered something that is not HTTP") from error
        except (aiohttp.ClientError, OSError) as error:
            raise self._failures.unreachable(error) from error
        answer = AnswerBody(response, self._config, self._failures, watch, deadlines.ends)
        if response.status != 200:
            raise await self._refusal(response, answer)
        return response, answer

    async def _refusal(self, response: aiohttp.ClientResponse, answer: AnswerBody) -> Exception:
        try:
            return self._failures.of_status(response.status, response.headers, await self._read_all(answer))
        finally:
            answer.close()

    async def _read_all(self, answer: AnswerBody) -> bytes:
        chunks: list[bytes] = []
        size = 0
        try:
            while chunk := await answer.read():
                chunks.append(chunk)
                size += len(chunk)
                if size > MAX_BODY_BYTES:
                    raise self._failures.garbage(f"answered more than {MAX_BODY_BYTES} bytes")
        except aiohttp.ClientError as error:
            raise self._failures.garbage("broke off its answer") from error
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    def _open(self) -> tuple[aiohttp.ClientSession, Watch]:
        if self._closed:
            raise self._failures.closed()
        session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers=self._headers,
            timeout=aiohttp.ClientTimeout(total=None, connect=self._config.connect_timeout_s),
            trust_env=False,
        )
        self._opened = (session, Watch())
        return self._opened


class EventStream:
    """The events of one streamed answer. Nothing is read ahead but what the socket already holds."""

    def __init__(self, answer: AnswerBody, failures: Failures) -> None:
        self._answer = answer
        self._failures = failures
        self._parser = SseParser()

    async def read(self) -> list[bytes]:
        """Return the data of the next events, as many as have come; an empty list once the stream has ended."""
        try:
            while chunk := await self._answer.read():
                if events := self._parser.feed(chunk):
                    return events
        except aiohttp.ClientError as error:
            raise self._failures.garbage("broke off its answer") from error
        except EventTooLarge as error:
            raise self._failures.garbage(f"sent an event of more than {error} bytes") from error
        finally:
            self._answer.heard()
        return []

    async def finish(self) -> None:
        """Read to the response's own end, so that its connection can serve again, but do not wait for it long."""
        if self._answer.is_whole:
            return
        with contextlib.suppress(
            TimeoutError, aiohttp.ClientError, OmniError
        ):  # the answer is complete; the connection goes
            async with asyncio.timeout(_LINGER_S):
                while await self._answer.read():
                    pass

    def close(self) -> None:
        """Close the connection at once, which makes the provider stop; keep it if the response was read to its end."""
        self._answer.close()


def endpoint(base_url: str, path: str) -> str:
    """Return the URL of `path` below `base_url`; raise `InvalidValue` unless it is a plain http or https URL."""
    allowed = "http:// or https://, a host, no user, no query"
    try:
        parts = urlsplit(base_url)
        plain = parts.scheme in {"http", "https"} and parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError as error:
        raise InvalidValue("base_url is not a URL", field="base_url", allowed=allowed) from error
    if not plain or parts.username is not None or parts.query or parts.fragment:
        # The value itself stays out of the message: a URL with a user holds a password.
        raise InvalidValue(f"base_url must be {allowed}", field="base_url", allowed=allowed)
    return base_url.rstrip("/") + path
