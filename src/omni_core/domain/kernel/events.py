"""Facts that happened, recorded in the same commit as the change that they tell of."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

import msgspec

from omni_core.domain.kernel.tenancy import TenantId


class Event(msgspec.Struct, frozen=True):
    """Base of every event: past tense, small, and free of secrets and of personal data beyond ids.

    A subclass sets `event_type`, its stable name (`billing.invoice_finalized`), and `aggregate`, the name of the field
    that holds the id by which its events are kept in order.
    """

    event_type: ClassVar[str]
    aggregate: ClassVar[str]

    @property
    def aggregate_id(self) -> UUID:
        """The id of the thing that changed."""
        value: UUID = getattr(self, self.aggregate)
        return value


class RecordedEvent(msgspec.Struct, frozen=True):
    """An event as the log holds it: `data` are the event's fields in JSON types."""

    id: UUID
    tenant_id: TenantId
    event_type: str
    aggregate_id: UUID
    recorded_at: datetime
    data: dict[str, object]
