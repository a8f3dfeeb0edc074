from datetime import UTC, datetime

import pytest

from omni_core.adapters.system import SystemEntropy, SystemIds
from omni_core.domain.kernel.errors import InvalidValue
from omni_core.domain.kernel.ids import parse_id, uuid7
from omni_core.testing import SequentialIds


def test_the_example_of_the_rfc():
    # RFC 9562, appendix A.6: 22 February 2022, 19:22:22 UTC.
    moment = datetime(2022, 2, 22, 19, 22, 22, tzinfo=UTC)
    random = 0xCC3 << 62 | 0x18C4DC0C0C07398F
    assert str(uuid7(int(moment.timestamp() * 1000), random)) == "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"


@pytest.mark.parametrize("unix_ms,random", [(-1, 0), (1 << 48, 0), (0, -1), (0, 1 << 74)])
def test_what_does_not_fit_is_refused(unix_ms, random):
    with pytest.raises(ValueError, match="48 bits of milliseconds and 74 bits"):
        uuid7(unix_ms, random)


def test_ids_of_a_process_grow_and_differ():
    ids = SystemIds()
    made = [ids.new() for _ in range(5000)]
    assert made == sorted(set(made))
    assert {one.version for one in made} == {7}


def test_two_sources_differ():
    ours, theirs = SystemIds(), SystemIds()
    assert not {ours.new() for _ in range(100)} & {theirs.new() for _ in range(100)}


def test_entropy_has_the_size_that_was_asked_for():
    assert len(SystemEntropy().token(36)) == 36
    assert SystemEntropy().token(36) != SystemEntropy().token(36)


def test_an_id_is_read_in_any_case():
    some = SystemIds().new()
    assert parse_id(str(some).upper(), "key_id") == some


@pytest.mark.parametrize("text", ["", "1", "not-an-id", "017f22e2-79b0-7cc3-98c4-dc0c0c07398", "…"])
def test_what_is_no_id_is_refused_by_field(text):
    with pytest.raises(InvalidValue) as refused:
        parse_id(text, "key_id")
    assert refused.value.fields["field"] == "key_id"


def test_sequential_ids_are_the_same_every_time():
    first, again, other = SequentialIds(), SequentialIds(), SequentialIds(seed=1)
    made = [first.new() for _ in range(3)]
    assert made == [again.new() for _ in range(3)] == sorted(set(made))
    assert other.new() not in made
    assert SequentialIds.unlike_others().new() != SequentialIds.unlike_others().new()
