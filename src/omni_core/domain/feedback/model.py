"""An item of feedback, the statuses that it can go through, and who voted for it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

import msgspec

from omni_core.domain.feedback.errors import InvalidItem, InvalidVoter, WrongStatus
from omni_core.domain.feedback.events import ItemMoved, ItemPrioritised, ItemSubmitted, VoteCast, VoteWithdrawn
from omni_core.domain.kernel.conditions.api import FieldKind, Fields
from omni_core.domain.kernel.described import described_line
from omni_core.domain.kernel.stored import check_word, is_rebuilding
from omni_core.domain.kernel.tenancy import TenantId

TITLE_LENGTH = range(5, 201)
TEXT_LENGTH = range(10, 5001)
MAX_VOTER = 200
VoterText = Annotated[str, described_line(MAX_VOTER)]


class FeedbackCategory(StrEnum):
    """What an item is about."""

    BUG = "bug"
    FEATURE_REQUEST = "feature_request"
    IMPROVEMENT = "improvement"
    GENERAL = "general"


class FeedbackStatus(StrEnum):
    """How far an item is. The last two are its end, unless somebody looks at it again."""

    NEW = "new"
    REVIEWING = "reviewing"
    IN_PROGRESS = "in_progress"
    RESOLVED = "resolved"
    REJECTED = "rejected"


class FeedbackPriority(StrEnum):
    """How soon an item should be dealt with."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


# To where an item may be moved. From a status that this release does not know, somebody may only look at it again.
_AGAIN = frozenset({FeedbackStatus.REVIEWING})
_NEXT = {
    FeedbackStatus.NEW: frozenset(
        {FeedbackStatus.REVIEWING, FeedbackStatus.IN_PROGRESS, FeedbackStatus.RESOLVED, FeedbackStatus.REJECTED}
    ),
    FeedbackStatus.REVIEWING: frozenset({FeedbackStatus.IN_PROGRESS, FeedbackStatus.RESOLVED, FeedbackStatus.REJECTED}),
    FeedbackStatus.IN_PROGRESS: frozenset({FeedbackStatus.REVIEWING, FeedbackStatus.RESOLVED, FeedbackStatus.REJECTED}),
    FeedbackStatus.RESOLVED: _AGAIN,
    FeedbackStatus.REJECTED: _AGAIN,
}
_OPEN = (FeedbackStatus.NEW, FeedbackStatus.REVIEWING, FeedbackStatus.IN_PROGRESS)

FIELDS = Fields(
    {
        "category": FieldKind.TEXT,
        "status": FieldKind.TEXT,
        "priority": FieldKind.TEXT,
        "title": FieldKind.TEXT,
        "text": FieldKind.TEXT,
        "votes": FieldKind.NUMBER,
        "created_at": FieldKind.MOMENT,
        "changed_at": FieldKind.MOMENT,
    }
)
"""What a listing of items can be filtered by."""


@dataclass(slots=True, kw_only=True)
class Item:
    """Something that was reported or wished for. `votes` counts the persons who want it."""

    id: UUID
    tenant_id: TenantId
    category: FeedbackCategory
    title: str
    text: str
    priority: FeedbackPriority
    status: FeedbackStatus
    submitted_by: str
    votes: int
    created_at: datetime
    changed_at: datetime

    def __post_init__(self) -> None:
        if is_rebuilding():
            return
        check_word(FeedbackCategory, self.category, "category")
        check_word(FeedbackPriority, self.priority, "priority")
        for field, text, allowed in (("title", self.title, TITLE_LENGTH), ("text", self.text, TEXT_LENGTH)):
            if len(text.strip()) not in allowed or "\0" in text:
                limits = f"{allowed.start} to {allowed.stop - 1} characters"
                raise InvalidItem(f"{field} must be {limits}", field=field, allowed=limits)

    def was_submitted(self) -> ItemSubmitted:
        """Return the event of the item's coming to be."""
        return ItemSubmitted(self.id, self.category)

    @property
    def is_open(self) -> bool:
        """Whether somebody may still do something about it, and so vote for it."""
        return self.status in _OPEN

    def move(self, status: FeedbackStatus, now: datetime) -> list[ItemMoved]:
        """Bring the item to a status, which changes nothing where it is there already; raise `WrongStatus`."""
        check_word(FeedbackStatus, status, "status")
        if status is self.status:
            return []
        allowed = _NEXT.get(self.status, _AGAIN)
        if status not in allowed:
            raise WrongStatus(
                f"an item that is {self.status} cannot be {status}",
                item_id=str(self.id),
                status=self.status.value,
                allowed=sorted(allowed),
            )
        before, self.status, self.changed_at = self.status, status, now
        return [ItemMoved(self.id, before, status)]

    def prioritise(self, priority: FeedbackPriority, now: datetime) -> list[ItemPrioritised]:
        """Give the item another priority; raise `InvalidValue` for what is none."""
        check_word(FeedbackPriority, priority, "priority")
        if priority is self.priority:
            return []
        self.priority, self.changed_at = priority, now
        return [ItemPrioritised(self.id, priority)]

    def gain_vote(self) -> VoteCast:
        """Count one more person who wants the item."""
        self.votes += 1
        return VoteCast(self.id, self.votes)

    def lose_vote(self) -> VoteWithdrawn:
        """Count one person less."""
        self.votes -= 1
        return VoteWithdrawn(self.id, self.votes)

    def check_open(self) -> None:
        """Raise `WrongStatus` where the item takes no votes any more."""
        if not self.is_open:
            raise WrongStatus(
                f"an item that is {self.status} takes no votes", item_id=str(self.id), status=self.status.value
            )


class FeedbackVote(msgspec.Struct, frozen=True):
    """That a person wants an item. `person` is whatever id the tenant has for that person: no name, no address."""

    id: UUID
    item_id: UUID
    person: str
    cast_at: datetime

    def __post_init__(self) -> None:
        if not is_rebuilding():
            check_voter(self.person)


def check_voter(person: str) -> str:
    """Return `person` if it can be somebody's id; raise `InvalidVoter`."""
    if not 1 <= len(person.strip()) <= MAX_VOTER or not person.isprintable():
        allowed = f"1 to {MAX_VOTER} printable characters"
        raise InvalidVoter(f"person must be {allowed}", field="person", allowed=allowed)
    return person


class FeedbackTally(msgspec.Struct, frozen=True):
    """How many items there are of a category in a status, and how many votes they have."""

    category: str
    status: str
    items: int
    votes: int
