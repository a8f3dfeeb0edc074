"""The OpenAPI document: what Litestar derives from the endpoints, and what holds for all of them."""

from litestar import Litestar, Router
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin, RedocRenderPlugin, SwaggerRenderPlugin
from litestar.openapi.spec import (
    Components,
    Example,
    OpenAPIMediaType,
    OpenAPIResponse,
    Operation,
    PathItem,
    Reference,
    SecurityScheme,
)

from omni_core import __version__
from omni_core.domain.budgets.errors import BudgetExhausted
from omni_http.problems import MEDIA_TYPE, explain

_METHODS = ("get", "post", "put", "patch", "delete")
_DESCRIPTION = """\
Every call but those of `health` wants an API key: `Authorization: Bearer omni_sk_…`.

Every error is an `application/problem+json` document (RFC 9457) whose `code` is stable;
`/api/problems/{code}` explains it.
An operator's key (scope `platform:admin`) acts for the tenant whose id the header `Omni-Tenant` gives.
"""


def openapi_config() -> OpenAPIConfig:
    """Return where the document is served, and what stands above the endpoints."""
    return OpenAPIConfig(
        title="Omni",
        version=__version__,
        description=_DESCRIPTION,
        openapi_router=Router("/api", route_handlers=[], opt={"public": True}),
        render_plugins=[
            SwaggerRenderPlugin(path="/docs"),
            RedocRenderPlugin(path="/redoc"),
            JsonRenderPlugin(path="/openapi.json"),
        ],
        components=Components(security_schemes={"key": SecurityScheme(type="http", scheme="bearer")}),
        security=[{"key": []}],
        use_handler_docstrings=True,
    )


def describe_errors(app: Litestar) -> None:
    """Say of each operation that its errors are problems; Litestar would describe errors of its own making."""
    example = Example(value={**_as_dict(BudgetExhausted.code), "resets_at": "2026-12-01T00:00:00+00:00"})
    problem = OpenAPIResponse(
        description="What went wrong",
        content={
            MEDIA_TYPE: OpenAPIMediaType(
                schema=Reference(ref="#/components/schemas/Problem"), examples={"budget exhausted": example}
            )
        },
    )
    for path, item in (app.openapi_schema.paths or {}).items():
        for operation in _operations(item):
            responses = {code: answer for code, answer in (operation.responses or {}).items() if code != "400"}
            operation.responses = {**responses, "default": problem}
            if not path.startswith("/v1/"):
                operation.security = []


def _operations(item: PathItem) -> list[Operation]:
    return [operation for method in _METHODS if (operation := getattr(item, method)) is not None]


def _as_dict(code: str) -> dict[str, object]:
    problem = explain(code)
    return {name: getattr(problem, name) for name in problem.__struct_fields__}
