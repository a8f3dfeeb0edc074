"""The face of jobs: what shells and other contexts may use of them."""

from omni_core.domain.jobs.handling import JobContext, JobHandler, by_kind
from omni_core.domain.jobs.model import Job, JobKeyText, JobKindText
from omni_core.domain.jobs.reactions import cancel_for_revoked_key
from omni_core.domain.jobs.runner import Ending, JobRunner, Run
from omni_core.domain.jobs.service import Jobs
from omni_core.domain.jobs.values import Delivery, JobFailure, JobProgress, JobStatus
from omni_core.domain.kernel.backoff import Backoff

__all__ = [
    "Backoff",
    "Delivery",
    "Ending",
    "Job",
    "JobContext",
    "JobFailure",
    "JobHandler",
    "JobKeyText",
    "JobKindText",
    "JobProgress",
    "JobRunner",
    "JobStatus",
    "Jobs",
    "Run",
    "by_kind",
    "cancel_for_revoked_key",
]
