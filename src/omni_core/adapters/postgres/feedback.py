"""Feedback on PostgreSQL: the store, and sums over it."""

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa

from omni_core.adapters.postgres import rows
from omni_core.adapters.postgres.conditions import compile_condition
from omni_core.adapters.postgres.tables.feedback import feedback_item, feedback_vote
from omni_core.adapters.postgres.uow import connection_of
from omni_core.domain.feedback.errors import UnknownItem
from omni_core.domain.feedback.model import (
    FeedbackCategory,
    FeedbackPriority,
    FeedbackStatus,
    FeedbackTally,
    FeedbackVote,
    Item,
)
from omni_core.domain.kernel.conditions.api import Condition
from omni_core.domain.kernel.stored import rebuilds, stored
from omni_core.domain.kernel.tenancy import TenantId
from omni_core.domain.kernel.uow import Transaction


class PostgresFeedbackStore:
    """The port `FeedbackStore`."""

    async def add(self, tx: Transaction, item: Item) -> None:
        """Store a new item."""
        await connection_of(tx).execute(sa.insert(feedback_item).values(_to_row(item)))

    async def get(self, tx: Transaction, item_id: UUID) -> Item:
        """Return an item."""
        unknown = UnknownItem(item_id=str(item_id))
        return _item_from_row(await rows.one(tx, feedback_item, unknown, feedback_item.c.id == item_id))

    async def lock(self, tx: Transaction, item_id: UUID) -> Item:
        """Return an item, locked."""
        unknown = UnknownItem(item_id=str(item_id))
        return _item_from_row(await rows.one(tx, feedback_item, unknown, feedback_item.c.id == item_id, lock=True))

    async def save(self, tx: Transaction, item: Item) -> None:
        """Store what may change."""
        itself = (feedback_item.c.tenant_id == item.tenant_id, feedback_item.c.id == item.id)
        await connection_of(tx).execute(sa.update(feedback_item).where(*itself).values(_to_row(item)))

    async def list(self, tx: Transaction, limit: int, before: UUID | None, where: Condition | None) -> Sequence[Item]:
        """Return items, newest first."""
        wanted = [] if where is None else [compile_condition(where, dict(feedback_item.c))]
        return [_item_from_row(row) for row in await rows.newest(tx, feedback_item, limit, before, *wanted)]

    async def add_vote(self, tx: Transaction, vote: FeedbackVote) -> bool:
        """Store a vote, once a person."""
        row = {
            "tenant_id": tx.tenant_id,
            "id": vote.id,
            "item_id": vote.item_id,
            "person": vote.person,
            "cast_at": vote.cast_at,
        }
        return await rows.added(tx, feedback_vote, row, ["tenant_id", "item_id", "person"])

    async def remove_vote(self, tx: Transaction, item_id: UUID, person: str) -> bool:
        """Remove a person's vote."""
        return await rows.removed(
            tx, feedback_vote, feedback_vote.c.item_id == item_id, feedback_vote.c.person == person
        )

    async def votes(self, tx: Transaction, item_id: UUID, limit: int, before: UUID | None) -> Sequence[FeedbackVote]:
        """Return votes, newest first."""
        found = await rows.newest(tx, feedback_vote, limit, before, feedback_vote.c.item_id == item_id)
        return [_vote_from_row(row) for row in found]


class PostgresFeedbackStatistics:
    """The port `FeedbackStatistics`."""

    async def tallies(self, tx: Transaction) -> Sequence[FeedbackTally]:
        """Return the tallies, by category and status."""
        group = (feedback_item.c.category, feedback_item.c.status)
        sums = (sa.func.count().label("items"), sa.func.sum(feedback_item.c.votes).label("votes"))
        query = sa.select(*group, *sums).where(feedback_item.c.tenant_id == tx.tenant_id).group_by(*group)
        found = await rows.fetched(tx, query.order_by(*(column.collate("C") for column in group)))
        return [FeedbackTally(row["category"], row["status"], row["items"], int(row["votes"])) for row in found]


def _to_row(item: Item) -> dict[str, object]:
    return {
        "tenant_id": item.tenant_id,
        "id": item.id,
        "category": item.category,
        "title": item.title,
        "text": item.text,
        "priority": item.priority,
        "status": item.status,
        "submitted_by": item.submitted_by,
        "votes": item.votes,
        "created_at": item.created_at,
        "changed_at": item.changed_at,
    }


@rebuilds
def _item_from_row(row: rows.Row) -> Item:
    return Item(
        id=row["id"],
        tenant_id=TenantId(row["tenant_id"]),
        category=stored(FeedbackCategory, row["category"]),
        title=row["title"],
        text=row["text"],
        priority=stored(FeedbackPriority, row["priority"]),
        status=stored(FeedbackStatus, row["status"]),
        submitted_by=row["submitted_by"],
        votes=row["votes"],
        created_at=row["created_at"],
        changed_at=row["changed_at"],
    )


@rebuilds
def _vote_from_row(row: rows.Row) -> FeedbackVote:
    return FeedbackVote(row["id"], row["item_id"], row["person"], row["cast_at"])
