"""What a job is made of: its status, how far it is, why it failed, and the message that makes a worker run it."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any
from uuid import UUID

import msgspec

from omni_core.domain.jobs.errors import InvalidArguments
from omni_core.domain.kernel.failures import Failure, storable
from omni_core.domain.kernel.stored import is_rebuilding
from omni_core.domain.kernel.tenancy import TenantId

MAX_JSON_BYTES = 64 * 1024


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


class JobFailure(Failure, frozen=True):
    """Why an attempt at a job failed."""


class Delivery(msgspec.Struct, frozen=True):
    """What the queue carries: which job of which tenant, and which time of queuing it this is. No data of theirs."""

    tenant_id: TenantId
    job_id: UUID
    ticket: int


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
