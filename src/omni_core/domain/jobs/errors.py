"""What goes wrong with jobs."""

from omni_core.domain.kernel.errors import Conflict, Invalid, NotFound, OmniError, Unsupported


class UnknownJob(NotFound):
    """There is no such job."""

    code = "jobs.unknown_job"


class InvalidJob(Invalid):
    """The job cannot be queued like that."""

    code = "jobs.invalid_job"


class InvalidArguments(Invalid):
    """The arguments are not what this kind of job takes."""

    code = "jobs.invalid_arguments"


class KeyReused(Conflict):
    """The idempotency key belongs to a job with other arguments."""

    code = "jobs.key_reused"


class WrongStatus(Conflict):
    """The job is not in a state that allows this."""

    code = "jobs.wrong_status"


class UnknownKind(Unsupported):
    """No worker knows this kind of job."""

    code = "jobs.unknown_kind"
    # While a release is rolled out, an old worker may be handed what only a new one knows.
    retryable = True


class UnknownStatus(Unsupported):
    """The job has a status that this release does not know."""

    code = "jobs.unknown_status"
    # While a release is rolled out, an old worker may be handed what only a new one understands.
    retryable = True


class WorkerLost(OmniError):
    """The worker ended in the middle of the job each time it was tried."""

    code = "jobs.worker_lost"


class JobStopped(Conflict):
    """This attempt is over: raised into the handler where it reports progress. A handler lets it pass."""

    code = "jobs.stopped"


class CancelRequested(JobStopped):
    """Somebody asked to cancel the job."""

    code = "jobs.cancel_requested"


class Superseded(JobStopped):
    """The job was handed to another worker, because this one gave no sign of life."""

    code = "jobs.superseded"
