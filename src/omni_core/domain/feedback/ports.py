"""What feedback needs from outside."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from omni_core.domain.feedback.model import FeedbackTally, FeedbackVote, Item
from omni_core.domain.kernel.conditions.api import Condition
from omni_core.domain.kernel.uow import Transaction


class FeedbackStore(Protocol):
    """Items of the transaction's tenant, and the votes for them."""

    async def add(self, tx: Transaction, item: Item) -> None:
        """Store a new item."""
        ...

    async def get(self, tx: Transaction, item_id: UUID) -> Item:
        """Return an item; raise `UnknownItem`."""
        ...

    async def lock(self, tx: Transaction, item_id: UUID) -> Item:
        """Return an item and keep others from changing it, or its votes; raise `UnknownItem`."""
        ...

    async def save(self, tx: Transaction, item: Item) -> None:
        """Store status, priority, votes and the time of change of an item that was locked."""
        ...

    async def list(self, tx: Transaction, limit: int, before: UUID | None, where: Condition | None) -> Sequence[Item]:
        """Return up to `limit` items older than `before`, newest first; those alone for which `where` holds."""
        ...

    async def add_vote(self, tx: Transaction, vote: FeedbackVote) -> bool:
        """Store a vote unless the person has voted for the item already; tell whether it was stored."""
        ...

    async def remove_vote(self, tx: Transaction, item_id: UUID, person: str) -> bool:
        """Remove a person's vote for an item; tell whether there was one."""
        ...

    async def votes(self, tx: Transaction, item_id: UUID, limit: int, before: UUID | None) -> Sequence[FeedbackVote]:
        """Return up to `limit` votes for an item older than `before`, newest first."""
        ...


class FeedbackStatistics(Protocol):
    """Sums over all items of the transaction's tenant. PostgreSQL's alone: in memory it is unsupported."""

    async def tallies(self, tx: Transaction) -> Sequence[FeedbackTally]:
        """Return a tally for each category and status that there is, by their names."""
        ...
