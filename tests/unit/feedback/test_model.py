from datetime import timedelta

import pytest

from omni_core.domain.feedback.errors import InvalidItem, InvalidVoter, WrongStatus
from omni_core.domain.feedback.events import ItemMoved, ItemPrioritised
from omni_core.domain.feedback.model import Priority, Status
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
        (Status.NEW, Status.REVIEWING),
        (Status.NEW, Status.REJECTED),
        (Status.REVIEWING, Status.IN_PROGRESS),
        (Status.IN_PROGRESS, Status.RESOLVED),
        (Status.RESOLVED, Status.REVIEWING),
        (Status.REJECTED, Status.REVIEWING),
        (stored(Status, "parked"), Status.REVIEWING),
    ],
)
def test_an_item_moves_on(before: Status, after: Status):
    item = an_item(a_tenant_id(), status=before)
    assert item.move(after, LATER) == [ItemMoved(item.id, before, after)]
    assert (item.status, item.changed_at) == (after, LATER)


@pytest.mark.parametrize(
    "before, after",
    [
        (Status.REVIEWING, Status.NEW),
        (Status.RESOLVED, Status.IN_PROGRESS),
        (Status.REJECTED, Status.RESOLVED),
        (stored(Status, "parked"), Status.RESOLVED),
    ],
)
def test_an_item_does_not_move_just_anywhere(before: Status, after: Status):
    item = an_item(a_tenant_id(), status=before)
    with pytest.raises(WrongStatus) as refused:
        item.move(after, LATER)
    assert (item.status, item.changed_at) == (before, NOON)
    assert refused.value.fields["allowed"] == ["reviewing"] or before is Status.REVIEWING


def test_to_move_to_where_it_is_changes_nothing():
    item = an_item(a_tenant_id(), status=Status.RESOLVED)
    assert item.move(Status.RESOLVED, LATER) == []
    assert item.prioritise(Priority.MEDIUM, LATER) == []
    assert item.changed_at == NOON


def test_a_priority_is_told_when_it_changes():
    item = an_item(a_tenant_id())
    assert item.prioritise(Priority.HIGH, LATER) == [ItemPrioritised(item.id, "high")]
    assert (item.priority, item.changed_at) == (Priority.HIGH, LATER)


@pytest.mark.parametrize("status", [Status.RESOLVED, Status.REJECTED, stored(Status, "parked")])
def test_what_is_not_open_takes_no_votes(status: Status):
    with pytest.raises(WrongStatus):
        an_item(a_tenant_id(), status=status).check_open()
