"""The floor: the least that a JSON pass-through on Omni's stack can do. No key, no budget, no record."""

import argparse
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import msgspec
import uvicorn
from litestar import Litestar, Request, Response, get, post
from litestar.response import Stream


class Turn(msgspec.Struct):
    """One turn of the conversation."""

    role: str
    content: Any = None


class Question(msgspec.Struct):
    """The body that comes in and goes out again."""

    model: str
    messages: list[Turn]
    stream: bool = False


class Choice(msgspec.Struct):
    """One answer."""

    index: int
    message: Turn
    finish_reason: str


class Answer(msgspec.Struct):
    """The body that comes back."""

    id: str
    object: str
    created: int
    model: str
    choices: list[Choice]
    usage: dict[str, Any]


_encode = msgspec.json.Encoder().encode
_decode_answer = msgspec.json.Decoder(Answer).decode
_HEADERS = {"Content-Type": "application/json"}


@post("/v1/chat/completions", status_code=200)
async def chat(request: Request[Any, Any, Any], data: Question) -> Response[Any]:
    """Decode, call, decode, encode; a stream is passed on byte for byte."""
    session: aiohttp.ClientSession = request.app.state.session
    url: str = request.app.state.url
    if data.stream:
        upstream = await session.post(url, data=_encode(data), headers=_HEADERS)
        return Stream(_pass(upstream), media_type="text/event-stream")
    async with session.post(url, data=_encode(data), headers=_HEADERS) as response:
        return Response(_decode_answer(await response.read()))


async def _pass(upstream: aiohttp.ClientResponse) -> AsyncGenerator[bytes, None]:
    async with upstream:
        async for chunk in upstream.content.iter_any():
            yield chunk


@get("/health/live")
async def live() -> dict[str, str]:
    """Tell that the process answers."""
    return {"status": "live"}


def main() -> None:
    """Serve until told to stop, with the same server and the same settings as Omni."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--upstream", required=True, help="base URL of the provider")
    arguments = parser.parse_args()

    @asynccontextmanager
    async def session(app: Litestar) -> AsyncIterator[None]:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=256)) as opened:
            app.state.session = opened
            app.state.url = f"{arguments.upstream}/chat/completions"
            yield

    app = Litestar([chat, live], lifespan=[session], openapi_config=None, logging_config=None)
    uvicorn.run(app, port=arguments.port, log_config=None, access_log=False, server_header=False, date_header=False)


if __name__ == "__main__":
    main()
