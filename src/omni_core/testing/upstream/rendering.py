"""What both protocols have in common: an answer's bytes, made once for each script."""

from typing import Any, Protocol

import msgspec

from omni_core.testing.upstream.scripts import Script

ID = b"@call@"
"""Stands for the call's number in rendered bytes."""


class Rendered(msgspec.Struct, frozen=True):
    """An answer, whole and as the events of a stream. `usage_event` is only sent when asked for."""

    body: bytes
    events: tuple[bytes, ...]
    usage_event: bytes = b""
    end_event: bytes = b""


class Asked(msgspec.Struct, frozen=True):
    """The part of a request that matters here."""

    model: str
    stream: bool
    include_usage: bool
    limit: int | None
    last_user_text: str
    choices: int = 1
    logprobs: bool = False


class Wire(Protocol):
    """A protocol."""

    name: str

    def read(self, body: bytes) -> Asked:
        """Return what is asked; raise `msgspec.DecodeError`."""
        ...

    def render(self, script: Script, choices: int = 1, *, logprobs: bool = False) -> Rendered:
        """Return the answer of a script, as many times as wanted; all but the first begin with their number."""
        ...

    def error(self, status: int, message: str) -> bytes:
        """Return the body of an error."""
        ...

    def error_event(self, message: str) -> bytes:
        """Return the event by which a stream reports an error."""
        ...

    def key(self, headers: dict[str, str]) -> str | None:
        """Return the key that came with the request."""
        ...


def text_of(content: Any) -> str:  # noqa: ANN401 - content is a string or a list of parts, in both protocols
    """Return the words of a message's content."""
    if isinstance(content, str):
        return content
    return "".join(part.get("text") or "" for part in content or () if isinstance(part, dict))
