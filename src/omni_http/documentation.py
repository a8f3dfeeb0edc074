"""The OpenAPI document: what Litestar derives from the endpoints, and what holds for all of them."""

import asyncio
import re
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from litestar import Litestar, Request, Router
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import (
    Components,
    Example,
    OpenAPIHeader,
    OpenAPIMediaType,
    OpenAPIResponse,
    OpenAPIType,
    Operation,
    Parameter,
    PathItem,
    Reference,
    Schema,
    SecurityScheme,
)
from litestar.types import Method

from omni_core import __version__
from omni_core.domain.budgets.errors import BudgetExhausted
from omni_core.domain.llm.keyed import KEY_NAME, MAX_KEY
from omni_http.body_schemas import describe_bodies
from omni_http.component_names import rename_components
from omni_http.problems import MEDIA_TYPE, problem_body

_METHODS = ("get", "post", "put", "patch", "delete")
_DESCRIPTION = """\
Every call but those of `health` wants an API key: `Authorization: Bearer omni_sk_…`.

Every error is an `application/problem+json` document (RFC 9457) whose `code` is stable;
`/api/problems/{code}` explains it. Its member `error` says the same as OpenAI's clients expect it.
An operator's key (scope `platform:admin`) acts for the tenant whose id the header `Omni-Tenant` gives.
The health endpoints also answer below `/api` and `/api/v1`.
"""
_ALIASES = ("/api/health", "/api/v1/health")
_SCOPE = re.compile(r" \(scope `([a-z:]+)`\)")
_EVENTS = """\
`data:` events, each a `chat.completion.chunk`; the last is `[DONE]`. An error on the way is an event with the member
`error`, a problem whose `type` is OpenAI's word, and no `[DONE]` comes after it.
"""
_KEY = """\
Makes the call once, however often it is asked for: the same request under the same key gets the same answer for a day,
paid for once; another request is refused (422). While the call is under way others wait for it, and get 409 if it takes
too long. A key counts for one API key. A stream under a key is brought to its end also if the client hangs up.
"""
_REPLAYED = "That the answer was given before, under the same Idempotency-Key."


def openapi_config() -> OpenAPIConfig:
    """Return where the document is served, and what stands above the endpoints."""
    return OpenAPIConfig(
        title="Omni",
        version=__version__,
        description=_DESCRIPTION,
        openapi_router=Router(
            "/api", route_handlers=[], opt={"public": True}, include_in_schema=False, before_request=_on_demand
        ),
        render_plugins=[JsonRenderPlugin(path="/openapi.json")],
        components=Components(security_schemes={"key": SecurityScheme(type="http", scheme="bearer")}),
        use_handler_docstrings=True,
        operation_id_creator=operation_id,
    )


async def _on_demand(request: Request[Any, Any, Any]) -> None:
    """Complete the document when somebody first asks for it, beside the other requests: it takes a while to build."""
    app = request.app
    async with app.state.setdefault("document_lock", asyncio.Lock()):
        if "is_documented" not in app.state:
            await asyncio.to_thread(complete_document, app)
            app.state["is_documented"] = True


def operation_id(handler: HTTPRouteHandler, method: Method, path: Sequence[object]) -> str:
    """Return the handler's name in camelCase; of one with several paths, the method and the path.

    Generators of clients name their functions by it, so that it has to stay as it is.
    """
    words = [method.lower(), *map(str, path)] if len(handler.paths) > 1 else handler.handler_name.split("_")
    return words[0] + "".join(word.capitalize() for word in words[1:])


def complete_document(app: Litestar) -> None:
    """Add what Litestar cannot know: summaries, scopes, errors, event streams, and good names of components."""
    document = app.openapi_schema
    paths = document.paths or {}
    for alias in [path for path in paths if path.startswith(_ALIASES)]:
        del paths[alias]
    problem = _problem()
    for item in paths.values():
        for operation in _operations(item):
            _describe(operation)
            responses = {code: answer for code, answer in (operation.responses or {}).items() if code != "400"}
            operation.responses = {**responses, "default": problem}
    _add_event_stream(paths["/v1/chat/completions"])
    _add_idempotency_key(paths["/v1/chat/completions"])
    rename_components(document)
    describe_bodies(app, document)


def _operations(item: PathItem) -> Iterator[Operation]:
    yield from (operation for method in _METHODS if (operation := getattr(item, method)) is not None)


def _describe(operation: Operation) -> None:
    """Take the summary and the scope from the description's first line; without a scope an endpoint is public."""
    description = operation.description or ""
    scope = _SCOPE.search(description)
    operation.summary = _SCOPE.sub("", description.partition("\n")[0]).rstrip(".")
    # OpenAPI 3.1 lets any scheme name what a caller needs.
    operation.security = [{"key": [scope[1]]}] if scope else []


def _problem() -> OpenAPIResponse:
    exhausted = BudgetExhausted(resets_at="2026-12-01T00:00:00+00:00")
    facts = msgspec.json.decode(problem_body(exhausted, "8f61c786808611fbdd53e627bf9d0ea8"))
    return OpenAPIResponse(
        description="What went wrong",
        content={
            MEDIA_TYPE: OpenAPIMediaType(
                schema=Reference(ref="#/components/schemas/Problem"),
                examples={
                    "budget exhausted": Example(value=facts),
                },
            )
        },
    )


def _add_idempotency_key(chat: PathItem) -> None:
    """Describe the header, which the endpoint reads by itself: as a parameter it would cost those who send none."""
    answer = chat.post.responses["200"] if chat.post and chat.post.responses else None
    if chat.post is None or not isinstance(answer, OpenAPIResponse):
        raise TypeError("the chat endpoint documents no answer")
    form = Schema(type=OpenAPIType.STRING, min_length=1, max_length=MAX_KEY, pattern="^[!-~]+$")
    examples = {"an id of the client's own": Example(value="order-4711-summary")}
    key = Parameter(KEY_NAME, "header", form, _KEY, required=False, examples=examples)
    chat.post.parameters = [*(chat.post.parameters or []), key]
    replayed = OpenAPIHeader(Schema(type=OpenAPIType.STRING, enum=["true"]), description=_REPLAYED)
    answer.headers = {**(answer.headers or {}), "Idempotent-Replayed": replayed}


def _add_event_stream(chat: PathItem) -> None:
    answer = chat.post.responses["200"] if chat.post and chat.post.responses else None
    if not isinstance(answer, OpenAPIResponse) or answer.content is None:
        raise TypeError("the chat endpoint documents no answer")
    answer.content["text/event-stream"] = OpenAPIMediaType(schema=Schema(type=OpenAPIType.STRING, description=_EVENTS))
