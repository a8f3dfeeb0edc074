"""What every store of feedback does."""

import asyncio
from datetime import timedelta

import pytest

from omni_core.domain.feedback.errors import UnknownItem
from omni_core.domain.feedback.model import (
    FIELDS,
    FeedbackCategory,
    FeedbackPriority,
    FeedbackStatus,
    FeedbackTally,
    FeedbackVote,
    Item,
)
from omni_core.domain.feedback.ports import FeedbackStatistics, FeedbackStore
from omni_core.domain.kernel.conditions.api import read_condition
from omni_core.domain.kernel.stored import rebuilds, stored
from omni_core.domain.kernel.tenancy import TenantId
from omni_core.domain.kernel.uow import UnitOfWork
from omni_core.testing.builders.feedback import a_vote, an_item
from omni_core.testing.builders.kernel import a_tenant_id
from omni_core.testing.clock import NOON


class FeedbackStoreContract:
    """Fixtures: `feedback_store`, and a `uow` of the same technology."""

    async def test_an_item_comes_back_as_it_went_in(self, uow: UnitOfWork, feedback_store: FeedbackStore) -> None:
        item = an_item(a_tenant_id(), title="ünicode 🦉 title", votes=7, changed_at=NOON + timedelta(microseconds=1))
        await kept(uow, feedback_store, item)
        async with uow(item.tenant_id) as tx:
            assert await feedback_store.get(tx, item.id) == item
            assert await feedback_store.lock(tx, item.id) == item

    async def test_what_changes_is_saved(self, uow: UnitOfWork, feedback_store: FeedbackStore) -> None:
        item = an_item(a_tenant_id())
        await kept(uow, feedback_store, item)
        item.status, item.priority, item.votes = FeedbackStatus.REJECTED, FeedbackPriority.CRITICAL, 2
        item.changed_at = NOON + timedelta(days=1)
        async with uow(item.tenant_id) as tx:
            await feedback_store.save(tx, item)
        async with uow(item.tenant_id) as tx:
            assert await feedback_store.get(tx, item.id) == item

    async def test_what_is_not_there_is_unknown(self, uow: UnitOfWork, feedback_store: FeedbackStore) -> None:
        theirs = an_item(a_tenant_id())
        await kept(uow, feedback_store, theirs)
        for item in (an_item(theirs.tenant_id), theirs):
            async with uow(a_tenant_id()) as tx:
                with pytest.raises(UnknownItem):
                    await feedback_store.get(tx, item.id)
                with pytest.raises(UnknownItem):
                    await feedback_store.lock(tx, item.id)

    async def test_items_come_newest_first_and_in_pages(self, uow: UnitOfWork, feedback_store: FeedbackStore) -> None:
        items = [an_item(tenant_id) for tenant_id in [a_tenant_id()] * 5]
        await kept(uow, feedback_store, *items, an_item(a_tenant_id()))
        async with uow(items[0].tenant_id) as tx:
            first = await feedback_store.list(tx, 3, None, None)
            rest = await feedback_store.list(tx, 3, first[-1].id, None)
        assert [*first, *rest] == items[::-1]

    async def test_a_condition_holds_for_what_is_listed(self, uow: UnitOfWork, feedback_store: FeedbackStore) -> None:
        tenant_id = a_tenant_id()
        wanted = an_item(tenant_id, votes=3, title="Dark mode at last")
        others = [an_item(tenant_id, votes=3), an_item(tenant_id, votes=2, title="Dark mode"), an_item(tenant_id)]
        await kept(uow, feedback_store, wanted, *others)
        where = read_condition("votes >= 3 and title contains Dark and created_at < 2100-01-01", FIELDS)
        async with uow(tenant_id) as tx:
            assert await feedback_store.list(tx, 10, None, where) == [wanted]
            assert await feedback_store.list(tx, 10, wanted.id, where) == []

    async def test_a_person_votes_once(self, uow: UnitOfWork, feedback_store: FeedbackStore) -> None:
        item, other = an_item(tenant_id := a_tenant_id()), an_item(tenant_id)
        await kept(uow, feedback_store, item, other)
        votes = [a_vote(item), a_vote(item, "customer-2"), a_vote(other)]
        async with uow(tenant_id) as tx:
            assert [await feedback_store.add_vote(tx, vote) for vote in votes] == [True, True, True]
            assert not await feedback_store.add_vote(tx, a_vote(item))
        async with uow(tenant_id) as tx:
            assert await feedback_store.votes(tx, item.id, 10, None) == [votes[1], votes[0]]
            assert await feedback_store.votes(tx, item.id, 10, votes[1].id) == [votes[0]]
            assert await feedback_store.votes(tx, item.id, 1, None) == [votes[1]]

    async def test_of_votes_at_once_one_counts(self, uow: UnitOfWork, feedback_store: FeedbackStore) -> None:
        item = an_item(a_tenant_id())
        await kept(uow, feedback_store, item)

        async def vote() -> bool:
            async with uow(item.tenant_id) as tx:
                locked = await feedback_store.lock(tx, item.id)
                is_new = await feedback_store.add_vote(tx, a_vote(item))
                locked.votes += is_new
                await feedback_store.save(tx, locked)
                return is_new

        assert sum(await asyncio.gather(*(vote() for _ in range(6)))) == 1
        async with uow(item.tenant_id) as tx:
            assert (await feedback_store.get(tx, item.id)).votes == 1

    async def test_a_vote_that_is_taken_back_is_gone(self, uow: UnitOfWork, feedback_store: FeedbackStore) -> None:
        item = an_item(a_tenant_id())
        await kept(uow, feedback_store, item)
        async with uow(item.tenant_id) as tx:
            assert not await feedback_store.remove_vote(tx, item.id, "customer-1")
            await feedback_store.add_vote(tx, a_vote(item))
        async with uow(item.tenant_id) as tx:
            assert await feedback_store.remove_vote(tx, item.id, "customer-1")
            assert await feedback_store.votes(tx, item.id, 10, None) == []
            assert await feedback_store.add_vote(tx, a_vote(item))

    async def test_what_is_rolled_back_did_not_happen(self, uow: UnitOfWork, feedback_store: FeedbackStore) -> None:
        item = an_item(a_tenant_id())

        async def fail() -> None:
            async with uow(item.tenant_id) as tx:
                await feedback_store.add(tx, item)
                await feedback_store.add_vote(tx, a_vote(item))
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await fail()
        async with uow(item.tenant_id) as tx:
            assert await feedback_store.list(tx, 10, None, None) == []
            assert await feedback_store.votes(tx, item.id, 10, None) == []

    async def test_what_breaks_todays_rules_can_be_read_and_repaired(
        self, uow: UnitOfWork, feedback_store: FeedbackStore
    ) -> None:
        item, vote = of_another_release(a_tenant_id())
        await kept(uow, feedback_store, item)
        async with uow(item.tenant_id) as tx:
            await feedback_store.add_vote(tx, vote)
        async with uow(item.tenant_id) as tx:
            assert await feedback_store.list(tx, 10, None, None) == [item]
            assert await feedback_store.votes(tx, item.id, 10, None) == [vote]
            locked = await feedback_store.lock(tx, item.id)
            assert (locked.status, locked.category, locked.title) == ("parked", "praise", "")
            locked.status, locked.title = FeedbackStatus.REVIEWING, "A title again"
            await feedback_store.save(tx, locked)
            assert await feedback_store.remove_vote(tx, item.id, vote.person)
        async with uow(item.tenant_id) as tx:
            repaired = await feedback_store.get(tx, item.id)
        assert (repaired.status, repaired.title) == (FeedbackStatus.REVIEWING, "A title again")


class FeedbackStatisticsContract:
    """Fixtures: `feedback_statistics`, and of the same technology `feedback_store` and `uow`."""

    async def test_items_and_votes_are_added_up(
        self, uow: UnitOfWork, feedback_store: FeedbackStore, feedback_statistics: FeedbackStatistics
    ) -> None:
        tenant_id = a_tenant_id()
        bugs = [an_item(tenant_id, category=FeedbackCategory.BUG, votes=votes) for votes in (1, 2)]
        done = an_item(tenant_id, category=FeedbackCategory.BUG, status=FeedbackStatus.RESOLVED)
        await kept(uow, feedback_store, *bugs, done, an_item(tenant_id, votes=4), an_item(a_tenant_id()))
        async with uow(tenant_id) as tx:
            assert await feedback_statistics.tallies(tx) == [
                FeedbackTally("bug", "new", 2, 3),
                FeedbackTally("bug", "resolved", 1, 0),
                FeedbackTally("feature_request", "new", 1, 4),
            ]

    async def test_where_there_is_nothing_nothing_is_added_up(
        self, uow: UnitOfWork, feedback_statistics: FeedbackStatistics
    ) -> None:
        async with uow(a_tenant_id()) as tx:
            assert await feedback_statistics.tallies(tx) == []


async def kept(uow: UnitOfWork, store: FeedbackStore, *items: Item) -> None:
    """Store items, each in a transaction of its tenant."""
    for item in items:
        async with uow(item.tenant_id) as tx:
            await store.add(tx, item)


@rebuilds
def of_another_release(tenant_id: TenantId) -> tuple[Item, FeedbackVote]:
    """Return an item with words that this release does not know, and values that it refuses, and such a vote."""
    words = {"status": stored(FeedbackStatus, "parked"), "category": stored(FeedbackCategory, "praise")}
    item = an_item(tenant_id, title="", priority=stored(FeedbackPriority, "someday"), **words)
    return item, a_vote(item, person=" ")
