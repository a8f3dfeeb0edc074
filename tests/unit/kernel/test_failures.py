from omni_core.domain.kernel.errors import NotFound
from omni_core.domain.kernel.failures import Failure, storable


def test_a_failure_tells_what_omni_raised():
    assert Failure.of(NotFound("it is\0 gone")) == Failure("not_found", "it is gone")


def test_a_failure_tells_nothing_of_what_others_raised():
    told = Failure.of(RuntimeError("password=hunter2"))
    assert told.code == "internal"
    assert "hunter2" not in told.detail


def test_text_is_made_fit_to_be_stored():
    assert storable("a\0b\ud800c") == "ab?c"
    assert len(storable("x" * 10_000)) == 2000
