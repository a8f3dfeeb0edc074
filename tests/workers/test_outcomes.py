import pytest

from omni_core.domain.kernel.errors import DependencyFailed, Forbidden, Kind, OmniError
from omni_workers.outcomes import OUTCOMES, Outcome, outcome_of, worth_retrying


class Busy(DependencyFailed):
    """The provider is busy."""

    code = "testing.busy"
    retryable = True


def test_the_table_knows_every_kind():
    assert set(OUTCOMES) == set(Kind)


@pytest.mark.parametrize(
    "error, outcome",
    [
        (Busy(), Outcome.RETRY),
        (DependencyFailed(), Outcome.DEAD),
        (Forbidden(), Outcome.DEAD),
        (OmniError(), Outcome.RETRY),
        (RuntimeError("nobody foresaw it"), Outcome.RETRY),
    ],
    ids=repr,
)
def test_what_may_pass_is_tried_again(error: Exception, outcome: Outcome):
    assert outcome_of(error) is outcome
    assert worth_retrying(error) is (outcome is Outcome.RETRY)


@pytest.mark.parametrize("kind", sorted(set(Kind) - {Kind.INTERNAL}))
def test_what_says_no_says_no_again(kind: Kind):
    error = type("Refused", (OmniError,), {"kind": kind, "code": "testing.refused"})()
    assert outcome_of(error) is Outcome.DEAD
