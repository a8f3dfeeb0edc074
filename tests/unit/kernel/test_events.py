from typing import ClassVar
from uuid import UUID

import msgspec
import pytest

from omni_core.domain.kernel.events import Event, RecordedEvent
from omni_core.domain.kernel.tenancy import TenantId
from omni_core.testing.clock import NOON


class Moved(Event, frozen=True):
    event_type: ClassVar[str] = "testing.moved"
    aggregate: ClassVar[str] = "thing_id"
    thing_id: UUID
    to: str = "nowhere"


class Other(Event, frozen=True):
    event_type: ClassVar[str] = "testing.other"
    aggregate: ClassVar[str] = "thing_id"
    thing_id: UUID


def recorded(**data: object) -> RecordedEvent:
    return RecordedEvent(UUID(int=1), 1, TenantId(UUID(int=2)), "testing.moved", UUID(int=3), NOON, data)


def test_what_was_recorded_is_read_in_its_own_type():
    assert recorded(thing_id=str(UUID(int=3)), to="here").to(Moved) == Moved(UUID(int=3), "here")


def test_what_an_older_or_newer_release_recorded_is_read_too():
    assert recorded(thing_id=str(UUID(int=3)), later=True).to(Moved) == Moved(UUID(int=3))


def test_an_event_is_read_as_no_other():
    with pytest.raises(ValueError, match=r"testing\.moved is no testing\.other"):
        recorded(thing_id=str(UUID(int=3))).to(Other)


def test_an_event_without_what_its_type_wants_is_refused():
    with pytest.raises(msgspec.ValidationError):
        recorded().to(Moved)
