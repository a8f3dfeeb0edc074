from datetime import timedelta

from omni_core.domain.kernel.backoff import Backoff


def test_the_pauses_grow_up_to_the_longest():
    assert [Backoff().after(attempt).total_seconds() for attempt in range(1, 7)] == [5, 20, 80, 300, 300, 300]
    assert Backoff(timedelta(hours=1)).after(1) == timedelta(minutes=5)
