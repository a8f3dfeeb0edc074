"""The request of every endpoint."""

from collections.abc import Mapping
from typing import Any

from litestar import Request
from litestar.exceptions import ClientException, InternalServerException

from omni_core.domain.llm.api import KEY_NAME, InvalidIdempotencyKey
from omni_http.refusals import why_left

_LEFT = "client disconnected prematurely"


_IDEMPOTENCY_KEY = KEY_NAME.lower().encode()


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


def idempotency_key_of(scope: Mapping[str, Any]) -> str | None:
    """Return the header Idempotency-Key as it is; raise `InvalidIdempotencyKey` where there are two."""
    found: str | None = None
    for name, value in scope["headers"]:
        if name == _IDEMPOTENCY_KEY:
            if found is not None:
                raise InvalidIdempotencyKey(f"{KEY_NAME} is sent twice", field=KEY_NAME, allowed="one")
            found = value.decode("latin-1")
    return found
