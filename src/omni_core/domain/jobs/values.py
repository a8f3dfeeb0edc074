"""What a job is made of: its status, how far it is, why it failed, and the message that makes a worker run it."""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

import msgspec

from omni_core.domain.jobs.errors import InvalidArguments
from omni_core.domain.kernel.errors import OmniError
from omni_core.domain.kernel.stored import is_rebuilding
from omni_core.domain.kernel.tenancy import TenantId

MAX_JSON_BYTES = 64 * 1024
_MAX_TEXT = 2000


class JobStatus(StrEnum):
    """Where a job stands. The last three are final, unless somebody queues the job again."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class JobProgress(msgspec.Struct, frozen=True):
    """`current` of `total` steps are done; `message` tells people what is being done now."""

    current: int
    total: int
    message: str = ""

    def __post_init__(self) -> None:
        if is_rebuilding():
            return
        if not 0 <= self.current <= self.total:
            raise ValueError("progress goes from 0 to its total")
        msgspec.structs.force_setattr(self, "message", storable(self.message))


class JobFailure(msgspec.Struct, frozen=True):
    """Why an attempt failed: the error's stable code and a sentence. Never a secret, never a stack trace."""

    code: str
    detail: str

    @classmethod
    def of(cls, error: Exception) -> "JobFailure":
        """Tell what may be told of an error: of one that Omni did not raise itself, nothing but that it happened."""
        if isinstance(error, OmniError):
            return cls(error.code, storable(error.detail))
        return cls(OmniError.code, OmniError.title())


class Delivery(msgspec.Struct, frozen=True):
    """What the queue carries: which job of which tenant, and which time of queuing it this is. No data of theirs."""

    tenant_id: TenantId
    job_id: UUID
    ticket: int


class Backoff(msgspec.Struct, frozen=True):
    """How long to wait before the next attempt: `first`, then `factor` times as long each time, up to `longest`."""

    first: timedelta = timedelta(seconds=5)
    factor: int = 4
    longest: timedelta = timedelta(minutes=5)

    def after(self, attempt: int) -> timedelta:
        """Return the pause after the failure of `attempt`, counted from 1."""
        wait = self.first
        for _ in range(attempt - 1):
            if wait >= self.longest:
                break
            wait *= self.factor
        return min(wait, self.longest)


def json_object(value: Mapping[str, Any] | msgspec.Struct, field: str) -> dict[str, Any]:
    """Return `value` in JSON types, as the store will give it back; raise `InvalidArguments` that names `field`."""
    try:
        encoded = msgspec.json.encode(value)
        decoded = msgspec.json.decode(encoded, type=dict[str, Any])
    except (TypeError, ValueError, msgspec.MsgspecError) as error:
        raise InvalidArguments(f"{field} must be a JSON object", field=field, allowed="a JSON object") from error
    if len(encoded) > MAX_JSON_BYTES or b"\\u0000" in encoded:
        raise InvalidArguments(
            f"{field} must have at most {MAX_JSON_BYTES} bytes and no NUL character",
            field=field,
            allowed=f"up to {MAX_JSON_BYTES} bytes",
        )
    return decoded


def storable(text: str) -> str:
    """Return `text` without what no database stores (NUL, lone surrogates), and not endless."""
    return text[:_MAX_TEXT].replace("\0", "").encode("utf-8", "replace").decode()
