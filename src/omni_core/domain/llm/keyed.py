"""A call under a key of the client's: what was asked under it, and what came of that."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from msgspec.structs import FieldInfo, fields

from omni_core.domain.kernel.errors import OmniError
from omni_core.domain.kernel.stored import rebuilds, stored
from omni_core.domain.kernel.tenancy import TenantId
from omni_core.domain.llm import errors
from omni_core.domain.llm.errors import InvalidIdempotencyKey, ProviderUnavailable
from omni_core.domain.llm.model import ChatChoice, ChatDelta, ChatRequest, ChatResponse, FinishReason

KEY_NAME = "Idempotency-Key"
MAX_KEY = 255
_ALLOWED = f"1 to {MAX_KEY} visible ASCII characters"


def check_key(key: str) -> str:
    """Return a client's key as it is; raise `InvalidIdempotencyKey`."""
    if not 1 <= len(key) <= MAX_KEY or not all("!" <= letter <= "~" for letter in key):
        raise InvalidIdempotencyKey(f"{KEY_NAME} must be {_ALLOWED}", field=KEY_NAME, allowed=_ALLOWED)
    return key


def fingerprint_of(request: ChatRequest, *, streamed: bool) -> bytes:
    """Return 32 bytes that are the same for the same question, in whichever order its JSON objects were written.

    What has its default is left out, so that a release with more fields tells the same of the same question.
    """
    return sha256(msgspec.json.encode([streamed, _said(request)], order="sorted")).digest()


def _said(value: object) -> object:
    if isinstance(value, msgspec.Struct):
        said = {field.name: _said(part) for field in fields(value) if (part := _other_than_default(value, field))}
        return {"": type(value).__name__, **said}
    return [_said(part) for part in value] if isinstance(value, tuple) else value


def _other_than_default(holder: msgspec.Struct, field: FieldInfo) -> tuple[Any, ...]:
    value = getattr(holder, field.name)
    default = field.default
    if field.default_factory is not msgspec.NODEFAULT:
        default = field.default_factory()
    return () if value == default and type(value) is type(default) else (value,)


class Place(NamedTuple):
    """Where a key counts: for one caller (`Principal.subject`) of one tenant. Others may use the same key."""

    tenant_id: TenantId
    caller: str
    key: str


class CallState(StrEnum):
    """How far a call under a key is."""

    RUNNING = "running"
    ANSWERED = "answered"


class Attempt(msgspec.Struct, frozen=True):
    """One attempt to make the call of a key. `id` becomes the call's own where it is the first."""

    id: UUID
    caller: str
    key: str
    fingerprint: bytes


class KeyedCall(msgspec.Struct, frozen=True):
    """What is stored under a key. `call_id` is that of the usage event, of which there is at most one;

    `attempt_id` says who makes the call, or made it. `sealed` is what came of it, None where that was too large.
    """

    call_id: UUID
    attempt_id: UUID
    fingerprint: bytes
    state: CallState
    sealed: bytes | None


class BrokenOff(msgspec.Struct, frozen=True):
    """The error in which a stream ended that had been paid for."""

    code: str
    detail: str
    fields: Mapping[str, Any] = {}

    def error(self) -> OmniError:
        """Return the error once more; one of another release as a provider's failure, which it was."""
        kind = next((one for one in _kinds_of_error() if one.code == self.code), ProviderUnavailable)
        return kind(self.detail, **self.fields)


def _kinds_of_error() -> Iterator[type[OmniError]]:
    for kind in vars(errors).values():
        if isinstance(kind, type) and issubclass(kind, OmniError) and kind.__module__ == errors.__name__:
            yield kind


class Outcome(msgspec.Struct, frozen=True, omit_defaults=True):
    """What came of a call: a whole answer, or the pieces of a stream and how it broke off, if it did."""

    created_at: datetime
    response: ChatResponse | None = None
    pieces: tuple[ChatDelta, ...] = ()
    broken_off: BrokenOff | None = None

    def to_text(self) -> str:
        """Return it as JSON."""
        return msgspec.json.encode(self).decode()

    @classmethod
    def of_text(cls, text: str) -> "Outcome":
        """Read what any release wrote."""
        return _rebuilt(msgspec.json.decode(text))


@rebuilds
def _rebuilt(said: dict[str, Any]) -> Outcome:
    # A word that this release does not know is kept, which the decoder by itself would refuse.
    whole = _finished(said["response"], ChatResponse) if said.get("response") else None
    pieces = tuple(_finished(piece, ChatDelta) for piece in said.get("pieces", ()))
    bare = {name: value for name, value in said.items() if name not in {"response", "pieces"}}
    return msgspec.structs.replace(msgspec.convert(bare, Outcome), response=whole, pieces=pieces)


def _finished(said: dict[str, Any], kind: Any) -> Any:  # noqa: ANN401 - an answer, or a piece of one
    word = said.get("finish_reason")
    others = tuple(_finished(choice, ChatChoice) for choice in said.get("alternatives", ()))
    placed = {**said, "finish_reason": FinishReason.STOP if word else None}
    if others:
        placed["alternatives"] = ()
    made = msgspec.convert(placed, kind)
    known = {"finish_reason": stored(FinishReason, word)} if word else {}
    return msgspec.structs.replace(made, **known, **({"alternatives": others} if others else {}))
