"""What happened to feedback."""

from typing import ClassVar
from uuid import UUID

from omni_core.domain.kernel.events import Event


class ItemSubmitted(Event, frozen=True):
    """Somebody reported or wished for something."""

    event_type: ClassVar[str] = "feedback.item_submitted"
    aggregate: ClassVar[str] = "item_id"
    item_id: UUID
    category: str


class ItemMoved(Event, frozen=True):
    """An item came from one status to another."""

    event_type: ClassVar[str] = "feedback.item_moved"
    aggregate: ClassVar[str] = "item_id"
    item_id: UUID
    before: str
    status: str


class ItemPrioritised(Event, frozen=True):
    """An item was given another priority."""

    event_type: ClassVar[str] = "feedback.item_prioritised"
    aggregate: ClassVar[str] = "item_id"
    item_id: UUID
    priority: str


class VoteCast(Event, frozen=True):
    """Somebody wants an item, which now has `votes`. Who it was is not told: only the tenant knows its voters."""

    event_type: ClassVar[str] = "feedback.vote_cast"
    aggregate: ClassVar[str] = "item_id"
    item_id: UUID
    votes: int


class VoteWithdrawn(Event, frozen=True):
    """Somebody no longer wants an item, which now has `votes`."""

    event_type: ClassVar[str] = "feedback.vote_withdrawn"
    aggregate: ClassVar[str] = "item_id"
    item_id: UUID
    votes: int
