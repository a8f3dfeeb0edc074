"""Gives each request an id and a time, counts it, and logs it where it failed: its caller's mistakes at level info."""

import asyncio
import re
import secrets
import time
from collections.abc import Iterable

import structlog
from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

from omni_core.adapters.telemetry.metrics import Metrics
from omni_core.domain.kernel.errors import OmniError
from omni_http.ending import cut_off, is_cut_off
from omni_http.problems import MEDIA_TYPE, problem_body, problem_headers, status_of
from omni_http.services import PROBLEM, REQUEST_ID, request_id_of

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._:-]{1,128}")
_log = structlog.get_logger("omni.http")
_CLIENT_ERROR, _SERVER_ERROR = 400, 500


class Observation:
    """The outermost layer. Takes over a caller's `X-Request-ID` if it is harmless; answers it in any case."""

    def __init__(self, app: ASGIApp, metrics: Metrics, *, log_all: bool) -> None:
        self._app = app
        self._metrics = metrics
        self._log_all = log_all

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Observe HTTP requests; hand everything else on."""
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        request_id = _request_id(scope["headers"])
        scope.setdefault("state", {})[REQUEST_ID] = request_id.decode()
        status = 0

        async def send_marked(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = int(message["status"])
                elapsed_ms = (time.perf_counter() - began) * 1000
                message["headers"] = [
                    *message["headers"],
                    (b"x-request-id", request_id),
                    (b"x-process-time-ms", b"%.1f" % elapsed_ms),
                ]
            await send(message)

        try:
            await self._app(scope, receive, send_marked)
        except asyncio.CancelledError:
            if status or not is_cut_off(scope):
                raise
            await _send_problem(cut_off(), scope, send_marked)
        finally:
            self._done(scope, status or _SERVER_ERROR, time.perf_counter() - began)

    def _done(self, scope: HTTPScope, status: int, seconds: float) -> None:
        # The route's own form, so that callers cannot make up label values.
        self._metrics.request(scope["method"], scope.get("path_template") or "unmatched", status, seconds)
        if self._log_all or status >= _CLIENT_ERROR:
            code = scope.get("state", {}).get(PROBLEM)
            _log.log(
                40 if status >= _SERVER_ERROR else 20,
                "request",
                method=scope["method"],
                path=scope["path"],
                status=status,
                ms=round(seconds * 1000, 1),
                **({"code": code} if code else {}),
                request_id=request_id_of(scope),
            )


async def _send_problem(error: OmniError, scope: Scope, send: Send) -> None:
    body = problem_body(error, request_id_of(scope))
    headers = {"content-type": MEDIA_TYPE, "content-length": str(len(body)), **problem_headers(error)}
    encoded = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status_of(error), "headers": encoded})
    await send({"type": "http.response.body", "body": body, "more_body": False})


def _request_id(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    for name, value in headers:
        if name == b"x-request-id" and _REQUEST_ID.fullmatch(value):
            return value
    return secrets.token_hex(16).encode()
