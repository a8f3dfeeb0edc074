from uuid import UUID

import msgspec
import pytest

from omni_core.domain.jobs.errors import InvalidArguments
from omni_core.domain.jobs.values import MAX_JSON_BYTES, JobProgress, json_object


@pytest.mark.parametrize("current, total", [(-1, 2), (3, 2)])
def test_progress_lies_within_its_total(current, total):
    with pytest.raises(ValueError, match="from 0 to its total"):
        JobProgress(current, total)


def test_what_is_said_of_progress_is_made_fit_to_be_stored():
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
