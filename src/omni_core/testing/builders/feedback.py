"""Feedback that is valid as it comes."""

from typing import Any

from omni_core.domain.feedback.model import FeedbackCategory, FeedbackPriority, FeedbackStatus, FeedbackVote, Item
from omni_core.domain.kernel.tenancy import TenantId
from omni_core.testing.builders.kernel import an_id
from omni_core.testing.clock import NOON


def an_item(tenant_id: TenantId, **given: Any) -> Item:
    """Return a new wish of nobody's in particular, without votes; `given` are fields of `Item`."""
    return Item(
        **{
            "id": an_id(),
            "tenant_id": tenant_id,
            "category": FeedbackCategory.FEATURE_REQUEST,
            "title": "Export usage as CSV",
            "text": "A download would spare us copying.",
            "priority": FeedbackPriority.MEDIUM,
            "status": FeedbackStatus.NEW,
            "submitted_by": "operator",
            "votes": 0,
            "created_at": NOON,
            "changed_at": NOON,
            **given,
        }
    )


def a_vote(item: Item, person: str = "customer-1") -> FeedbackVote:
    """Return a person's vote for an item."""
    return FeedbackVote(an_id(), item.id, person, NOON)
