"""Feedback over the wire."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from omni_core.domain.feedback.api import (
    Item,
    VoterText,
)


class CastFeedbackVote(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose vote it is: the tenant's own id of a person. Without one it is the key's."""

    person: Annotated[VoterText | None, Meta(examples=["customer-42"])] = None


class FeedbackItemView(msgspec.Struct, frozen=True):
    """An item of feedback."""

    id: UUID
    category: str
    title: str
    text: str
    priority: str
    status: str
    submitted_by: str
    votes: int
    created_at: datetime
    changed_at: datetime

    @classmethod
    def of(cls, item: Item) -> "FeedbackItemView":
        """Return an item for the wire."""
        return cls(**{name: getattr(item, name) for name in cls.__struct_fields__})
