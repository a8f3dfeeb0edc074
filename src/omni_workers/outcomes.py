"""The one table from an error's kind to what a worker does about it."""

from enum import StrEnum

from omni_core.domain.kernel.errors import Kind, OmniError


class Outcome(StrEnum):
    """Whether another attempt could go better."""

    RETRY = "retry"
    DEAD = "dead"


# Internal: nobody foresaw it, so nobody can say that it will happen again. The others say no, and will say no again;
# of a dependency that failed, the error itself knows whether to ask once more.
OUTCOMES = {
    Kind.INVALID: Outcome.DEAD,
    Kind.UNAUTHENTICATED: Outcome.DEAD,
    Kind.FORBIDDEN: Outcome.DEAD,
    Kind.NOT_FOUND: Outcome.DEAD,
    Kind.CONFLICT: Outcome.DEAD,
    Kind.PRECONDITION: Outcome.DEAD,
    Kind.QUOTA: Outcome.DEAD,
    Kind.UNSUPPORTED: Outcome.DEAD,
    Kind.DEPENDENCY: Outcome.DEAD,
    Kind.INTERNAL: Outcome.RETRY,
}


def outcome_of(error: Exception) -> Outcome:
    """Return what to do after `error`: by its kind, unless it says of itself that it may pass."""
    if not isinstance(error, OmniError):
        return OUTCOMES[Kind.INTERNAL]
    return Outcome.RETRY if error.retryable else OUTCOMES[error.kind]


def worth_retrying(error: Exception) -> bool:
    """Tell whether another attempt could go better."""
    return outcome_of(error) is Outcome.RETRY
