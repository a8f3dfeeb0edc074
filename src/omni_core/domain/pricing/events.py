"""What happened to prices."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from omni_core.domain.kernel.events import Event


class PriceSet(Event, frozen=True):
    """A price was added to the table."""

    event_type: ClassVar[str] = "pricing.price_set"
    aggregate: ClassVar[str] = "price_id"
    price_id: UUID
    model: str
    effective_from: datetime
