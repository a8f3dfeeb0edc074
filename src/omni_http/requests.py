"""The request of every endpoint."""

from typing import Any

from litestar import Request
from litestar.exceptions import ClientException


class LeanRequest(Request[Any, Any, Any]):
    """Litestar's request, but that it looks for the body's length without reading every header into a multi-dict."""

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
