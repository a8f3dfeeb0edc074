"""The request of every endpoint."""

from typing import Any

from litestar import Request
from litestar.exceptions import ClientException, InternalServerException

from omni_http.refusals import why_left

_LEFT = "client disconnected prematurely"


class LeanRequest(Request[Any, Any, Any]):
    """Litestar's request, but that it looks for the body's length without reading every header into a multi-dict.

    A body whose rest does not come is no fault of the server's.
    """

    async def body(self) -> bytes:
        """Return the whole body; raise `ClientLeft`, or why the door refused the rest."""
        try:
            return await super().body()
        except InternalServerException as error:
            if error.detail != _LEFT:
                raise
            raise why_left(self.scope) from error

    @property
    def content_length(self) -> int | None:
        """The length in bytes that the client announced, if it did."""
        for name, value in self.scope["headers"]:
            if name == b"content-length":
                try:
                    return int(value)
                except ValueError as error:
                    raise ClientException("Content-Length is not a number") from error
        return None
