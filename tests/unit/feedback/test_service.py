from typing import Any

import pytest

from omni_core.adapters.memory.analytics import NeedsPostgres, PostgresqlNeeded
from omni_core.adapters.memory.feedback import MemoryFeedbackStore
from omni_core.domain.feedback.api import (
    ChangeFeedback,
    Feedback,
    FeedbackPriority,
    FeedbackStatus,
    Item,
    SubmitFeedback,
)
from omni_core.domain.feedback.errors import InvalidItem, InvalidVoter, UnknownItem, WrongStatus
from omni_core.domain.kernel.conditions.api import InvalidCondition
from omni_core.domain.kernel.errors import InvalidValue, MissingScope
from omni_core.domain.kernel.pages import PageRequest
from omni_core.domain.kernel.tenancy import Principal, Scope
from omni_core.testing.builders.kernel import a_tenant_id
from omni_core.testing.builders.tenancy import a_principal
from tests.support.backends import Backend

WISH = SubmitFeedback("Export usage as CSV", "A download would spare us copying.")


@pytest.fixture
def feedback(memory: Backend) -> Feedback:
    store = memory.make(MemoryFeedbackStore)
    return Feedback(memory.uow, store, NeedsPostgres("statistics of feedback"), memory.clock, memory.ids)


@pytest.fixture
def principal() -> Principal:
    return a_principal(a_tenant_id())


@pytest.fixture
async def item(feedback: Feedback, principal: Principal) -> Item:
    return await feedback.submit(principal, WISH)


async def events(memory: Backend, principal: Principal) -> list[str]:
    async with memory.uow(principal.tenant_id) as tx:
        recorded = tx.rows("event").values()  # type: ignore[attr-defined]
    return [event.event_type.removeprefix("feedback.") for event in recorded]


async def test_what_is_submitted_is_new_and_has_no_votes(
    feedback: Feedback, principal: Principal, item: Item, memory: Backend
):
    assert (item.status, item.votes, item.submitted_by) == (FeedbackStatus.NEW, 0, principal.subject)
    assert await feedback.get(principal, item.id) == item
    assert await events(memory, principal) == ["item_submitted"]


async def test_what_is_invalid_leaves_nothing_behind(feedback: Feedback, principal: Principal, memory: Backend):
    with pytest.raises(InvalidItem):
        await feedback.submit(principal, SubmitFeedback("CSV", WISH.text))
    assert (await feedback.list(principal, PageRequest())).items == ()
    assert await events(memory, principal) == []


async def test_a_persons_votes_count_once(feedback: Feedback, principal: Principal, item: Item, memory: Backend):
    counts = [(await feedback.vote(principal, item.id, person)).votes for person in ("ann", "bob", "ann", None, None)]
    assert counts == [1, 2, 2, 3, 3]
    voters = [vote.person for vote in (await feedback.votes(principal, item.id, PageRequest())).items]
    assert voters == [principal.subject, "bob", "ann"]
    assert (await feedback.withdraw(principal, item.id, "bob")).votes == 2
    assert (await feedback.withdraw(principal, item.id, "bob")).votes == 2
    assert await events(memory, principal) == ["item_submitted", *["vote_cast"] * 3, "vote_withdrawn"]


async def test_votes_end_where_the_item_does(feedback: Feedback, principal: Principal, item: Item):
    await feedback.vote(principal, item.id, "ann")
    await feedback.change(principal, item.id, ChangeFeedback(status=FeedbackStatus.REJECTED))
    for act in (feedback.vote, feedback.withdraw):
        with pytest.raises(WrongStatus):
            await act(principal, item.id, "ann")
    assert (await feedback.get(principal, item.id)).votes == 1


async def test_a_voter_who_cannot_be_one_is_refused(feedback: Feedback, principal: Principal, item: Item):
    for act in (feedback.vote, feedback.withdraw):
        with pytest.raises(InvalidVoter):
            await act(principal, item.id, "")


async def test_status_and_priority_change_together_or_not_at_all(
    feedback: Feedback, principal: Principal, item: Item, memory: Backend
):
    changed = await feedback.change(principal, item.id, ChangeFeedback(FeedbackStatus.REVIEWING, FeedbackPriority.HIGH))
    assert (changed.status, changed.priority) == (FeedbackStatus.REVIEWING, FeedbackPriority.HIGH)
    with pytest.raises(WrongStatus):
        await feedback.change(principal, item.id, ChangeFeedback(FeedbackStatus.NEW, FeedbackPriority.LOW))
    assert (await feedback.get(principal, item.id)) == changed
    assert await events(memory, principal) == ["item_submitted", "item_moved", "item_prioritised"]


async def test_a_listing_is_filtered_and_paged(feedback: Feedback, principal: Principal, item: Item):
    for number in range(3):
        await feedback.submit(principal, SubmitFeedback(f"Another wish {number}", WISH.text))
    await feedback.vote(principal, item.id, "ann")
    wanted = await feedback.list(principal, PageRequest(), 'votes >= 1 or title ends_with "2"')
    assert [one.title for one in wanted.items] == ["Another wish 2", WISH.title]
    first = await feedback.list(principal, PageRequest(limit=1), "title starts_with Another")
    second = await feedback.list(principal, PageRequest(1, first.next_cursor), "title starts_with Another")
    assert [one.title for one in (*first.items, *second.items)] == ["Another wish 2", "Another wish 1"]
    with pytest.raises(InvalidCondition):
        await feedback.list(principal, PageRequest(), "tenant_id = 1")


async def test_sums_are_asked_of_postgresql(feedback: Feedback, principal: Principal):
    with pytest.raises(PostgresqlNeeded, match="statistics of feedback"):
        await feedback.summary(principal)


async def test_another_tenants_item_is_unknown(feedback: Feedback, item: Item):
    stranger = a_principal(a_tenant_id())
    for act in (feedback.get, feedback.vote, feedback.withdraw):
        with pytest.raises(UnknownItem):
            await act(stranger, item.id)
    with pytest.raises(UnknownItem):
        await feedback.votes(stranger, item.id, PageRequest())


@pytest.mark.parametrize(
    "scope, method, arguments",
    [
        (Scope.FEEDBACK_WRITE, "submit", [WISH]),
        (Scope.FEEDBACK_READ, "get", ["item"]),
        (Scope.FEEDBACK_READ, "list", [PageRequest()]),
        (Scope.FEEDBACK_MANAGE, "change", ["item", ChangeFeedback(FeedbackStatus.REVIEWING)]),
        (Scope.FEEDBACK_WRITE, "vote", ["item"]),
        (Scope.FEEDBACK_WRITE, "withdraw", ["item"]),
        (Scope.FEEDBACK_READ, "votes", ["item", PageRequest()]),
        (Scope.FEEDBACK_READ, "summary", []),
    ],
)
async def test_each_use_case_wants_its_scope(
    feedback: Feedback, principal: Principal, item: Item, scope: Scope, method: str, arguments: list[Any]
):
    given = [item.id if one == "item" else one for one in arguments]
    lacking = a_principal(principal.tenant_id, *(set(Scope) - {scope}))
    with pytest.raises(MissingScope) as refused:
        await getattr(feedback, method)(lacking, *given)
    assert refused.value.fields["scope"] == scope


@pytest.mark.parametrize("field, text", [("category", "general"), ("priority", "high")])
async def test_a_text_is_no_member_of_an_enumeration(feedback, principal, field, text):
    with pytest.raises(InvalidValue) as refused:
        await feedback.submit(principal, SubmitFeedback("Export usage", "A download would do.", **{field: text}))
    assert refused.value.fields["field"] == field
    assert (await feedback.list(principal, PageRequest())).items == ()


@pytest.mark.parametrize("field, text", [("status", "reviewing"), ("priority", "high")])
async def test_an_item_is_not_moved_to_a_text(feedback, principal, field, text):
    item = await feedback.submit(principal, SubmitFeedback("Export usage", "A download would do."))
    with pytest.raises(InvalidValue) as refused:
        await feedback.change(principal, item.id, ChangeFeedback(**{field: text}))
    assert refused.value.fields["field"] == field
    assert await feedback.get(principal, item.id) == item
