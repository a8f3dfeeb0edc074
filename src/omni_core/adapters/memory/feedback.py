"""Feedback in memory."""

from collections.abc import Sequence
from uuid import UUID

from omni_core.adapters.memory.conditions import holds
from omni_core.adapters.memory.database import memory_tx
from omni_core.domain.feedback.errors import UnknownItem
from omni_core.domain.feedback.model import FeedbackVote, Item
from omni_core.domain.kernel.conditions.api import Condition
from omni_core.domain.kernel.uow import Transaction


class MemoryFeedbackStore:
    """The port `FeedbackStore`."""

    async def add(self, tx: Transaction, item: Item) -> None:
        """Store a new item."""
        memory_tx(tx).put("feedback_item", item.id, item)

    async def get(self, tx: Transaction, item_id: UUID) -> Item:
        """Return an item."""
        item: Item = memory_tx(tx).one("feedback_item", item_id, UnknownItem(item_id=str(item_id)))
        return item

    async def lock(self, tx: Transaction, item_id: UUID) -> Item:
        """Return an item; a memory transaction holds the tenant's lock anyway."""
        return await self.get(tx, item_id)

    async def save(self, tx: Transaction, item: Item) -> None:
        """Store what may change."""
        memory_tx(tx).put("feedback_item", item.id, item)

    async def list(self, tx: Transaction, limit: int, before: UUID | None, where: Condition | None) -> Sequence[Item]:
        """Return items, newest first."""
        return memory_tx(tx).newest("feedback_item", limit, before, holds(where))

    async def add_vote(self, tx: Transaction, vote: FeedbackVote) -> bool:
        """Store a vote, once a person."""
        key = (vote.item_id, vote.person)
        if key in memory_tx(tx).look("feedback_vote"):
            return False
        memory_tx(tx).put("feedback_vote", key, vote)
        return True

    async def remove_vote(self, tx: Transaction, item_id: UUID, person: str) -> bool:
        """Remove a person's vote."""
        return memory_tx(tx).delete("feedback_vote", (item_id, person))

    async def votes(self, tx: Transaction, item_id: UUID, limit: int, before: UUID | None) -> Sequence[FeedbackVote]:
        """Return votes, newest first."""
        return memory_tx(tx).newest("feedback_vote", limit, before, lambda vote: vote.item_id == item_id)
