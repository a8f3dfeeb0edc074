"""Records that are valid as they come: a test names only what it is about.

Every call makes another one: ids, slugs, addresses and keys never repeat, within a run or between runs, and a later
one's id is the greater.
"""

import secrets
from typing import Any

from omni_core.domain.jobs.model import Job
from omni_core.domain.kernel.tenancy import TENANT_SCOPES, Principal, Scope, TenantId
from omni_core.domain.tenancy.keys import PUBLIC_ID_BYTES, SECRET_BYTES, ApiKey, KeyToken
from omni_core.domain.tenancy.model import Member, MemberRole, Tenant, TenantStatus
from omni_core.testing.clock import NOON
from omni_core.testing.ids import SequentialIds

_ids = SequentialIds.unlike_others()


def a_tenant_id() -> TenantId:
    """Return the id of a tenant that nobody has made."""
    return TenantId(_ids.new())


def a_tenant(**given: Any) -> Tenant:
    """Return an active tenant; `given` are fields of `Tenant`."""
    tenant_id = given.pop("id", None) or a_tenant_id()
    return Tenant(
        **{
            "id": tenant_id,
            "slug": f"tenant-{tenant_id.hex}",
            "name": "Acme",
            "status": TenantStatus.ACTIVE,
            "created_at": NOON,
            **given,
        }
    )


def a_member(tenant_id: TenantId, **given: Any) -> Member:
    """Return a member with the role `member`; `given` are fields of `Member`."""
    member_id = _ids.new()
    return Member(
        **{
            "id": member_id,
            "tenant_id": tenant_id,
            "email": f"{member_id.hex}@example.com",
            "role": MemberRole.MEMBER,
            "created_at": NOON,
            **given,
        }
    )


def a_key_token() -> KeyToken:
    """Return a key as its holder has it."""
    return KeyToken.generate(secrets.token_bytes(PUBLIC_ID_BYTES + SECRET_BYTES))


def an_api_key(tenant_id: TenantId, **given: Any) -> ApiKey:
    """Return a key with every scope of a tenant and a digest of nothing; `given` are fields of `ApiKey`."""
    return ApiKey(
        **{
            "id": _ids.new(),
            "tenant_id": tenant_id,
            "public_id": a_key_token().public_id,
            "digest": bytes(32),
            "name": "server",
            "scopes": TENANT_SCOPES,
            "created_at": NOON,
            **given,
        }
    )


def a_principal(tenant_id: TenantId, *scopes: Scope) -> Principal:
    """Return the holder of a key with these scopes, every scope of a tenant where none is named."""
    key = an_api_key(tenant_id, scopes=frozenset(scopes) or TENANT_SCOPES)
    return key.admit(NOON)


def a_job(tenant_id: TenantId, **given: Any) -> Job:
    """Return a queued job of the kind `testing.work` with every right of a tenant; `given` are fields of `Job`."""
    return Job(
        **{
            "id": _ids.new(),
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
