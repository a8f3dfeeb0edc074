"""Ids that nothing has yet."""

from uuid import UUID

from omni_core.domain.kernel.tenancy import TenantId
from omni_core.testing.ids import SequentialIds

_ids = SequentialIds.unlike_others()


def an_id() -> UUID:
    """Return an id that nothing has; one source for all builders, so that a later one is the greater."""
    return _ids.new()


def a_tenant_id() -> TenantId:
    """Return the id of a tenant that nobody has made."""
    return TenantId(an_id())
