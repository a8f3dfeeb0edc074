from datetime import timedelta

import pytest

from omni_core.domain.feedback.errors import InvalidItem, InvalidVoter, WrongStatus
from omni_core.domain.feedback.events import ItemMoved, ItemPrioritised
from omni_core.domain.feedback.model import FeedbackPriority, FeedbackStatus
from omni_core.domain.kernel.stored import stored
from omni_core.testing.builders.feedback import a_vote, an_item
from omni_core.testing.builders.kernel import a_tenant_id
from omni_core.testing.clock import NOON

LATER = NOON + timedelta(hours=1)


@pytest.mark.parametrize(
    "field, text",
    [
        ("title", "Four"),
        ("title", "  Four "),
        ("title", "x" * 201),
        ("title", "with a \0 NUL"),
        ("text", "nine long"),
        ("text", "x" * 5001),
    ],
)
def test_what_is_too_short_or_too_long_is_refused_by_name(field: str, text: str):
    with pytest.raises(InvalidItem) as refused:
        an_item(a_tenant_id(), **{field: text})
    assert refused.value.fields["field"] == field


@pytest.mark.parametrize("person", ["", " ", "x" * 201, "two\nlines", "a\0b"])
def test_a_voter_is_an_id(person: str):
    with pytest.raises(InvalidVoter):
        a_vote(an_item(a_tenant_id()), person)


@pytest.mark.parametrize(
    "before, after",
    [
        (FeedbackStatus.NEW, FeedbackStatus.REVIEWING),
        (FeedbackStatus.NEW, FeedbackStatus.REJECTED),
        (FeedbackStatus.REVIEWING, FeedbackStatus.IN_PROGRESS),
        (FeedbackStatus.IN_PROGRESS, FeedbackStatus.RESOLVED),
        (FeedbackStatus.RESOLVED, FeedbackStatus.REVIEWING),
        (FeedbackStatus.REJECTED, FeedbackStatus.REVIEWING),
        (stored(FeedbackStatus, "parked"), FeedbackStatus.REVIEWING),
    ],
)
def test_an_item_moves_on(before: FeedbackStatus, after: FeedbackStatus):
    item = an_item(a_tenant_id(), status=before)
    assert item.move(after, LATER) == [ItemMoved(item.id, before, after)]
    assert (item.status, item.changed_at) == (after, LATER)


@pytest.mark.parametrize(
    "before, after",
    [
        (FeedbackStatus.REVIEWING, FeedbackStatus.NEW),
        (FeedbackStatus.RESOLVED, FeedbackStatus.IN_PROGRESS),
        (FeedbackStatus.REJECTED, FeedbackStatus.RESOLVED),
        (stored(FeedbackStatus, "parked"), FeedbackStatus.RESOLVED),
    ],
)
def test_an_item_does_not_move_just_anywhere(before: FeedbackStatus, after: FeedbackStatus):
    item = an_item(a_tenant_id(), status=before)
    with pytest.raises(WrongStatus) as refused:
        item.move(after, LATER)
    assert (item.status, item.changed_at) == (before, NOON)
    assert refused.value.fields["allowed"] == ["reviewing"] or before is FeedbackStatus.REVIEWING


def test_to_move_to_where_it_is_changes_nothing():
    item = an_item(a_tenant_id(), status=FeedbackStatus.RESOLVED)
    assert item.move(FeedbackStatus.RESOLVED, LATER) == []
    assert item.prioritise(FeedbackPriority.MEDIUM, LATER) == []
    assert item.changed_at == NOON


def test_a_priority_is_told_when_it_changes():
    item = an_item(a_tenant_id())
    assert item.prioritise(FeedbackPriority.HIGH, LATER) == [ItemPrioritised(item.id, "high")]
    assert (item.priority, item.changed_at) == (FeedbackPriority.HIGH, LATER)


@pytest.mark.parametrize("status", [FeedbackStatus.RESOLVED, FeedbackStatus.REJECTED, stored(FeedbackStatus, "parked")])
def test_what_is_not_open_takes_no_votes(status: FeedbackStatus):
    with pytest.raises(WrongStatus):
        an_item(a_tenant_id(), status=status).check_open()
