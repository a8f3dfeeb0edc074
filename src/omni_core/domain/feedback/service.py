"""Feedback: the use cases."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

import msgspec

from omni_core.domain.feedback.model import (
    FIELDS,
    TEXT_LENGTH,
    TITLE_LENGTH,
    FeedbackCategory,
    FeedbackPriority,
    FeedbackStatus,
    FeedbackTally,
    FeedbackVote,
    Item,
    check_voter,
)
from omni_core.domain.feedback.ports import FeedbackStatistics, FeedbackStore
from omni_core.domain.kernel.clock import Clock
from omni_core.domain.kernel.conditions.api import read_condition
from omni_core.domain.kernel.described import described_text
from omni_core.domain.kernel.ids import Ids
from omni_core.domain.kernel.pages import Page, PageRequest, page_of
from omni_core.domain.kernel.tenancy import Principal, Scope
from omni_core.domain.kernel.uow import UnitOfWork


class SubmitFeedback(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Report or wish for something: a title of 5 to 200 characters, a text of 10 to 5,000."""

    title: Annotated[str, described_text(TITLE_LENGTH.start, TITLE_LENGTH.stop - 1)]
    text: Annotated[str, described_text(TEXT_LENGTH.start, TEXT_LENGTH.stop - 1)]
    category: FeedbackCategory = FeedbackCategory.GENERAL
    priority: FeedbackPriority = FeedbackPriority.MEDIUM


class ChangeFeedback(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be another of an item; what is left out stays as it is."""

    status: FeedbackStatus | None = None
    priority: FeedbackPriority | None = None


class Feedback:
    """Take feedback in, vote for it, and say what becomes of it."""

    def __init__(
        self, uow: UnitOfWork, store: FeedbackStore, statistics: FeedbackStatistics, clock: Clock, ids: Ids
    ) -> None:
        self._uow = uow
        self._store = store
        self._statistics = statistics
        self._clock = clock
        self._ids = ids

    async def submit(self, principal: Principal, command: SubmitFeedback) -> Item:
        """Take an item in (feedback:write); raise `InvalidItem`."""
        principal.require(Scope.FEEDBACK_WRITE)
        now = self._clock.now()
        item = Item(
            id=self._ids.new(),
            tenant_id=principal.tenant_id,
            category=command.category,
            title=command.title,
            text=command.text,
            priority=command.priority,
            status=FeedbackStatus.NEW,
            submitted_by=principal.subject,
            votes=0,
            created_at=now,
            changed_at=now,
        )
        async with self._uow(principal.tenant_id) as tx:
            await self._store.add(tx, item)
            await tx.record(item.was_submitted())
        return item

    async def get(self, principal: Principal, item_id: UUID) -> Item:
        """Return an item (feedback:read); raise `UnknownItem`."""
        principal.require(Scope.FEEDBACK_READ)
        async with self._uow(principal.tenant_id) as tx:
            return await self._store.get(tx, item_id)

    async def list(self, principal: Principal, page: PageRequest, where: str | None = None) -> Page[Item]:
        """Return the tenant's items, newest first (feedback:read).

        `where` is a condition on their `FIELDS`, in either form of docs/howto/conditions.md; raises `InvalidCondition`.
        """
        principal.require(Scope.FEEDBACK_READ)
        condition = None if where is None else read_condition(where, FIELDS)
        async with self._uow(principal.tenant_id) as tx:
            rows = await self._store.list(tx, page.limit + 1, page.after, condition)
        return page_of(rows, page.limit, lambda item: item.id)

    async def change(self, principal: Principal, item_id: UUID, command: ChangeFeedback) -> Item:
        """Move an item to another status or priority (feedback:manage); raise `UnknownItem` or `WrongStatus`."""
        principal.require(Scope.FEEDBACK_MANAGE)
        now = self._clock.now()
        async with self._uow(principal.tenant_id) as tx:
            item = await self._store.lock(tx, item_id)
            moved = [] if command.status is None else item.move(command.status, now)
            prioritised = [] if command.priority is None else item.prioritise(command.priority, now)
            await self._store.save(tx, item)
            await tx.record(*moved, *prioritised)
        return item

    async def vote(self, principal: Principal, item_id: UUID, person: str | None = None) -> Item:
        """Count a person's vote for an item, once, however often it is cast (feedback:write).

        `person` is the tenant's own id of somebody, the caller where none is given. Raises `UnknownItem`,
        `InvalidVoter`, or `WrongStatus` where the item is resolved or rejected.
        """
        principal.require(Scope.FEEDBACK_WRITE)
        vote = FeedbackVote(self._ids.new(), item_id, _voter(principal, person), self._clock.now())
        async with self._uow(principal.tenant_id) as tx:
            item = await self._store.lock(tx, item_id)
            item.check_open()
            if await self._store.add_vote(tx, vote):
                event = item.gain_vote()
                await self._store.save(tx, item)
                await tx.record(event)
        return item

    async def withdraw(self, principal: Principal, item_id: UUID, person: str | None = None) -> Item:
        """Take a person's vote back, which changes nothing where there is none; as `vote` otherwise."""
        principal.require(Scope.FEEDBACK_WRITE)
        voter = check_voter(_voter(principal, person))
        async with self._uow(principal.tenant_id) as tx:
            item = await self._store.lock(tx, item_id)
            item.check_open()
            if await self._store.remove_vote(tx, item_id, voter):
                event = item.lose_vote()
                await self._store.save(tx, item)
                await tx.record(event)
        return item

    async def votes(self, principal: Principal, item_id: UUID, page: PageRequest) -> Page[FeedbackVote]:
        """Return who voted for an item, last first (feedback:read); raise `UnknownItem`."""
        principal.require(Scope.FEEDBACK_READ)
        async with self._uow(principal.tenant_id) as tx:
            await self._store.get(tx, item_id)
            rows = await self._store.votes(tx, item_id, page.limit + 1, page.after)
        return page_of(rows, page.limit, lambda vote: vote.id)

    async def summary(self, principal: Principal) -> Sequence[FeedbackTally]:
        """Return how many items and votes there are of each category and status (feedback:read).

        Asked of PostgreSQL alone: raises `Unsupported` in memory.
        """
        principal.require(Scope.FEEDBACK_READ)
        async with self._uow(principal.tenant_id) as tx:
            return await self._statistics.tallies(tx)


def _voter(principal: Principal, person: str | None) -> str:
    return principal.subject if person is None else person
