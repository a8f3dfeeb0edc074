"""The fake provider's server."""

import asyncio
from collections.abc import Collection, Mapping
from typing import Any, Self

import msgspec
from aiohttp import web

from omni_core.testing.upstream import answers
from omni_core.testing.upstream.anthropic_wire import AnthropicWire
from omni_core.testing.upstream.journal import Call, Journal, Totals
from omni_core.testing.upstream.openai_wire import OpenAIWire
from omni_core.testing.upstream.rendering import Wire
from omni_core.testing.upstream.scripts import FAULTS, Script

MAX_REQUEST_BYTES = 64 * 1024 * 1024

_WIRES: dict[str, Wire] = {"/v1/chat/completions": OpenAIWire(), "/v1/messages": AnthropicWire()}


class FakeUpstream:
    """A model provider on this machine. An async context manager: it listens from entry to exit."""

    def __init__(
        self,
        *,
        script: Script | None = None,
        scripts: Mapping[str, Script] | None = None,
        keys: Collection[str] | None = None,
        port: int = 0,
        keep: int = 10_000,
    ) -> None:
        """Answer any model by `script`, or by its own of `scripts`; accept only `keys` if given; 0 is any free port.

        The latest `keep` calls are remembered; totals count all.
        """
        self._default = script or Script()
        self._scripts = {**FAULTS, **(scripts or {})}
        self._keys = None if keys is None else frozenset(keys)
        self._port = port
        self._journal = Journal(keep)
        self._received = 0
        self._runner: web.ServerRunner | None = None

    @property
    def port(self) -> int:
        return self._port

    @property
    def url(self) -> str:
        """The base URL for a client of OpenAI's protocol."""
        return f"http://127.0.0.1:{self._port}/v1"

    @property
    def anthropic_url(self) -> str:
        """The base URL for a client of Anthropic's protocol."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def calls(self) -> list[Call]:
        """The latest requests with a readable body, oldest first, whatever came of them."""
        return list(self._journal.calls)

    @property
    def totals(self) -> Mapping[str, Totals]:
        """What the answered calls of each model come to."""
        return self._journal.totals

    @property
    def connections(self) -> int:
        """How many connections are open."""
        return 0 if self._runner is None or self._runner.server is None else len(self._runner.server.connections)

    def script(self, model: str, script: Script) -> None:
        """Let `model` answer by `script` from now on."""
        self._scripts[model] = script

    async def __aenter__(self) -> Self:
        server = web.Server(
            self._respond, request_factory=_request, handler_cancellation=True, access_log=None, keepalive_timeout=75.0
        )
        self._runner = web.ServerRunner(server, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port, backlog=1024).start()
        self._port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _respond(self, request: web.BaseRequest) -> web.StreamResponse:
        wire = _WIRES.get(request.path)
        if wire is not None and request.method == "POST":
            return await self._chat(request, wire)
        match request.method, request.path.split("/")[1:]:
            case "GET", ["v1", "models"]:
                return answers.json(msgspec.json.encode({"object": "list", "data": [_model(m) for m in self._scripts]}))
            case "GET", ["_upstream", "calls"]:
                return answers.json(msgspec.json.encode(self.calls))
            case "GET", ["_upstream", "totals"]:
                return answers.json(msgspec.json.encode(dict(self.totals)))
            case "PUT", ["_upstream", "scripts", name]:
                self.script(name, msgspec.json.decode(await request.read(), type=Script))
                return answers.json(b"{}")
        return answers.json(b'{"error":"404 page not found"}', 404)

    async def _chat(self, request: web.BaseRequest, wire: Wire) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        if self._keys is not None and (key := wire.key(headers)) not in self._keys:
            return answers.json(wire.error(401, f"Incorrect API key provided: {key}."), 401)
        body = await request.read()
        try:
            asked = wire.read(body)
        except msgspec.DecodeError as error:
            return answers.json(wire.error(400, f"invalid request: {error}"), 400)
        self._received += 1
        call = Call(self._received, wire.name, asked.model, asked.stream, headers, body)
        self._journal.calls.append(call)
        script = self._scripts.get(asked.model, self._default)
        if script.echo:
            script = msgspec.structs.replace(script, text=asked.last_user_text)
        script = script.limited(asked.limit)
        call.usage = script.usage
        try:
            return await self._answer(request, wire, script, call, include_usage=asked.include_usage)
        except (asyncio.CancelledError, ConnectionError):
            call.hung_up = True
            raise

    async def _answer(
        self, request: web.BaseRequest, wire: Wire, script: Script, call: Call, *, include_usage: bool
    ) -> web.StreamResponse:
        if script.first_delay_s:
            await asyncio.sleep(script.first_delay_s)
        number = b"%d" % call.number
        if script.status != 200:
            return answers.refusal(wire, script)
        if call.stream:
            response = await answers.streamed(request, wire, script, number, include_usage=include_usage)
        else:
            response = await answers.whole(request, wire, script, number)
        if script.fault is None:
            self._journal.answered(call)
        return response


def _request(message: Any, payload: Any, protocol: Any, writer: Any, task: Any) -> web.BaseRequest:  # noqa: ANN401
    # aiohttp passes objects of its own through here; the only purpose is to accept bodies beyond its 1 MiB.
    loop = asyncio.get_running_loop()
    return web.BaseRequest(message, payload, protocol, writer, task, loop, client_max_size=MAX_REQUEST_BYTES)


def _model(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 1_760_000_000, "owned_by": "fake"}
