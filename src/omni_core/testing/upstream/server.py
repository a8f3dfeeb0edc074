"""The fake provider's server."""

import asyncio
from collections.abc import Collection, Mapping
from typing import Self

import msgspec

from omni_core.testing.upstream import answers
from omni_core.testing.upstream.anthropic_wire import AnthropicWire
from omni_core.testing.upstream.http import Answer, Connection, Request, response
from omni_core.testing.upstream.journal import Call, Journal, Totals
from omni_core.testing.upstream.openai_wire import OpenAIWire
from omni_core.testing.upstream.rendering import Asked, Wire
from omni_core.testing.upstream.scripts import FAULTS, Script

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
        self._server: asyncio.Server | None = None
        self._connections: set[Connection] = set()

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
        """The latest requests with a readable body and an accepted key, oldest first, whatever came of them."""
        return list(self._journal.calls)

    @property
    def totals(self) -> Mapping[str, Totals]:
        """What the answered calls of each model come to."""
        return self._journal.totals

    @property
    def connections(self) -> int:
        """How many connections are open."""
        return len(self._connections)

    def script(self, model: str, script: Script) -> None:
        """Let `model` answer by `script` from now on."""
        self._scripts[model] = script

    async def __aenter__(self) -> Self:
        self._server = await asyncio.get_running_loop().create_server(
            lambda: Connection(self._respond, self._connections), "127.0.0.1", self._port, backlog=1024
        )
        self._port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()
            for connection in list(self._connections):
                connection.abort()
            await self._server.wait_closed()
            self._server = None

    def _respond(self, request: Request, connection: Connection) -> Answer:
        wire = _WIRES.get(request.path)
        if wire is not None and request.method == "POST":
            return self._chat(request, connection, wire)
        match request.method, request.path.split("/")[1:]:
            case "GET", ["v1", "models"]:
                return response(msgspec.json.encode({"object": "list", "data": [_model(m) for m in self._scripts]}))
            case "GET", ["_upstream", "calls"]:
                return response(msgspec.json.encode(self.calls))
            case "GET", ["_upstream", "totals"]:
                return response(msgspec.json.encode(dict(self.totals)))
            case "PUT", ["_upstream", "scripts", name]:
                return self._scripted(name, request.body)
        return response(b'{"error":"404 page not found"}', 404)

    def _scripted(self, model: str, body: bytes) -> bytes:
        try:
            self.script(model, msgspec.json.decode(body, type=Script))
        except msgspec.DecodeError as error:
            return response(msgspec.json.encode({"error": str(error)}), 400)
        return response(b"{}")

    def _chat(self, request: Request, connection: Connection, wire: Wire) -> Answer:
        if self._keys is not None and (key := wire.key(request.headers)) not in self._keys:
            return response(wire.error(401, f"Incorrect API key provided: {key}."), 401)
        try:
            asked = wire.read(request.body)
        except msgspec.DecodeError as error:
            return response(wire.error(400, f"invalid request: {error}"), 400)
        self._received += 1
        call = Call(self._received, wire.name, asked.model, asked.stream, request.headers, request.body)
        self._journal.calls.append(call)
        script = self._scripts.get(asked.model, self._default)
        if script.echo:
            script = msgspec.structs.replace(script, text=asked.last_user_text)
        script = script.limited(asked.limit)
        call.usage = script.usage
        if not script.first_delay_s and not script.interim and script.at_once(stream=asked.stream):
            if script.succeeds:
                self._journal.answered(call)
            return answers.whole(wire, script, b"%d" % call.number, asked)
        return self._take_time(connection, wire, script, call, asked)

    async def _take_time(self, connection: Connection, wire: Wire, script: Script, call: Call, asked: Asked) -> None:
        number = b"%d" % call.number
        try:
            for status in script.interim:
                await connection.send(answers.interim(status))
            if script.first_delay_s:
                await asyncio.sleep(script.first_delay_s)
            if script.at_once(stream=call.stream):
                await connection.send(answers.whole(wire, script, number, asked))
            elif call.stream and script.answers:
                await answers.streamed(connection, wire, script, number, asked)
            else:
                await answers.broken(connection, wire, script)
        except (asyncio.CancelledError, ConnectionError):
            call.hung_up = True
            raise
        if script.succeeds:
            self._journal.answered(call)


def _model(name: str) -> dict[str, object]:
    return {"id": name, "object": "model", "created": 1_760_000_000, "owned_by": "fake"}
