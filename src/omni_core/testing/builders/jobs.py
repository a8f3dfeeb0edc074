"""Jobs."""

from typing import Any

from omni_core.domain.jobs.model import Job
from omni_core.domain.kernel.tenancy import TENANT_SCOPES, TenantId
from omni_core.testing.builders.kernel import an_id
from omni_core.testing.clock import NOON


def a_job(tenant_id: TenantId, **given: Any) -> Job:
    """Return a queued job of the kind `testing.work` with every right of a tenant; `given` are fields of `Job`."""
    return Job(
        **{
            "id": an_id(),
            "tenant_id": tenant_id,
            "kind": "testing.work",
            "arguments": {"steps": 3},
            "requested_by": "operator",
            "scopes": TENANT_SCOPES,
            "created_at": NOON,
            "run_after": NOON,
            **given,
        }
    )
