"""The pages for people, and what they load."""

from collections.abc import Mapping
from typing import Any

from litestar import Controller, Response, get
from litestar.params import FromPath
from litestar.types import EmptyType

from omni_http.pages import ASSETS, ONLY_FROM_HERE, Welcome, asset, redoc, swagger, welcome
from omni_http.problems import NoSuchEndpoint
from omni_http.services import PublicRequest

_FOR_EVER = "public, max-age=31536000, immutable"


class PagesController(Controller):
    """For whoever opens Omni's address in a browser."""

    opt: Mapping[str, Any] | None = {"public": True}
    include_in_schema: bool | EmptyType = False

    @get("/", sync_to_thread=True)
    def root(self, request: PublicRequest) -> Response[Any]:
        """Tell what answers here: a page to browsers, JSON to everything else."""
        if "text/html" in request.headers.get("accept", ""):
            return _page(welcome(), Vary="Accept")
        return Response(Welcome(), headers={"Vary": "Accept"})

    # Files are read when they are first asked for, which is why these run beside the event loop.
    @get("/api/docs", sync_to_thread=True)
    def swagger(self) -> Response[str]:
        """Show the API with Swagger UI."""
        return _page(swagger())

    @get("/api/redoc", sync_to_thread=True)
    def redoc(self) -> Response[str]:
        """Show the API with Redoc."""
        return _page(redoc())

    @get("/api/docs/{name:str}", sync_to_thread=True)
    def asset(self, name: FromPath[str]) -> Response[bytes]:
        """Return a file that a page loads."""
        if name not in ASSETS:
            raise NoSuchEndpoint
        found = asset(name)
        headers = {"Cache-Control": _FOR_EVER, "X-Content-Type-Options": "nosniff"}
        return Response(found.content, media_type=found.media_type, headers=headers)


def _page(text: str, **headers: str) -> Response[str]:
    # no-cache: asked again each time, because the addresses in it change with an upgrade.
    guards = {
        "Content-Security-Policy": ONLY_FROM_HERE,
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-cache",
    }
    return Response(text, media_type="text/html", headers={**guards, **headers})
