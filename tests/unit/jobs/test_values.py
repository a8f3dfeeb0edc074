from datetime import timedelta
from uuid import UUID

import msgspec
import pytest

from omni_core.domain.jobs.errors import InvalidArguments, UnknownKind
from omni_core.domain.jobs.values import MAX_JSON_BYTES, Backoff, JobFailure, JobProgress, json_object, storable


def test_the_pauses_grow_up_to_the_longest():
    assert [Backoff().after(attempt).total_seconds() for attempt in range(1, 7)] == [5, 20, 80, 300, 300, 300]
    assert Backoff(timedelta(hours=1)).after(1) == timedelta(minutes=5)


def test_a_failure_tells_what_omni_raised():
    assert JobFailure.of(UnknownKind("no worker knows it")) == JobFailure("jobs.unknown_kind", "no worker knows it")


def test_a_failure_tells_nothing_of_what_others_raised():
    told = JobFailure.of(RuntimeError("password=hunter2"))
    assert told.code == "internal"
    assert "hunter2" not in told.detail


@pytest.mark.parametrize("current, total", [(-1, 2), (3, 2)])
def test_progress_lies_within_its_total(current, total):
    with pytest.raises(ValueError, match="from 0 to its total"):
        JobProgress(current, total)


def test_text_is_made_fit_to_be_stored():
    assert storable("a\0b\ud800c") == "ab?c"
    assert len(storable("x" * 10_000)) == 2000
    assert JobProgress(0, 0, "a\0b").message == "ab"


class Answer(msgspec.Struct):
    id: UUID
    parts: tuple[int, ...]


def test_an_object_comes_back_in_json_types():
    answer = Answer(UUID(int=1), (1, 2))
    assert json_object(answer, "result") == {"id": str(UUID(int=1)), "parts": [1, 2]}


@pytest.mark.parametrize(
    "value",
    [{"a": object()}, {"a": "\0"}, {"a": "x" * MAX_JSON_BYTES}, {"a": "\ud800"}, [1], {1: 2, (3, 4): 5}],
    ids=type,
)
def test_what_cannot_be_stored_is_refused(value):
    with pytest.raises(InvalidArguments) as refused:
        json_object(value, "arguments")
    assert refused.value.fields["field"] == "arguments"
