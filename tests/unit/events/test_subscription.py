from datetime import datetime

import pytest

from omni_core.adapters.memory.database import MemoryDatabase
from omni_core.adapters.memory.events import memory_event_storage
from omni_core.domain.events.api import Events, Retries, Subscription, SubscriptionRunner
from omni_core.testing import FixedClock, SequentialIds


async def ignore(tx, event): ...


def named(name: str) -> Subscription:
    return Subscription(name, frozenset({"testing.happened"}), ignore)


@pytest.mark.parametrize("name", ["jobs", "jobs.", "Jobs.cancel", "jobs.cancel.more", "jobs.cancel\n", "a." + "b" * 99])
def test_a_subscription_is_named_for_its_context_and_what_it_does(name):
    with pytest.raises(ValueError, match="is no name"):
        named(name)


def test_a_subscription_wants_something():
    with pytest.raises(ValueError, match="to nothing"):
        Subscription("testing.nothing", frozenset(), ignore)


def test_a_subscription_begins_at_a_moment_that_is_the_same_everywhere():
    with pytest.raises(ValueError, match="UTC offset"):
        Subscription("testing.since", frozenset({"testing.happened"}), ignore, datetime(2026, 11, 21))  # noqa: DTZ001


def test_two_subscriptions_of_one_name_are_refused():
    storage = memory_event_storage(MemoryDatabase(FixedClock(), SequentialIds()))
    two = [named("testing.same"), named("testing.same")]
    with pytest.raises(ValueError, match="same name"):
        SubscriptionRunner(storage, two, Retries(lambda _: True))
    with pytest.raises(ValueError, match="same name"):
        Events(storage, two)
