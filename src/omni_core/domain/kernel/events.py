"""Facts that happened, recorded in the same commit as the change that they tell of."""

from datetime import datetime
from typing import ClassVar, TypeVar
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


E = TypeVar("E", bound=Event)


class RecordedEvent(msgspec.Struct, frozen=True):
    """An event as the log holds it: `data` are the event's fields in JSON types.

    `position` orders the events of a tenant, from 1 and with gaps, in the order in which they were committed: whoever
    has seen one will never find another before it. Positions of different tenants say nothing about each other.
    """

    id: UUID
    position: int
    tenant_id: TenantId
    event_type: str
    aggregate_id: UUID
    recorded_at: datetime
    data: dict[str, object]

    def to(self, kind: type[E]) -> E:
        """Return the event in its own type; a field that an older release did not record takes its default.

        Raises `ValueError` where the event is of another type or lacks a field that has no default.
        """
        if self.event_type != kind.event_type:
            raise ValueError(f"{self.event_type} is no {kind.event_type}")
        return msgspec.convert(self.data, kind)
